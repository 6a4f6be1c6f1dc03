// SPDX-License-Identifier: Apache-2.0
// What launchers tell their ranks by environment.
#pragma once

#include "model/places.h"

namespace oomtrace::model {

// Place::worker stays unknown. Sources: torchrun (docs, "Environment Variables"), which accelerate, DeepSpeed and
// Lightning follow; Open MPI (OMPI_COMM_WORLD_*), MVAPICH2 (MV2_COMM_WORLD_*), PMI of MPICH and Intel MPI, Slurm
// (srun(1), "OUTPUT ENVIRONMENT VARIABLES"), JAX (jax.distributed). Values that are no numbers are as if they were not
// there.
Place told_place(const Process& process);

// The child is the first rank of its node (its local rank is 0, or else its rank), and not by what its parent was told.
bool starts_first_rank(const Process& parent, const Process& child);

}  // namespace oomtrace::model
