// SPDX-License-Identifier: Apache-2.0
// Remedies: checkpoints without a second copy.
#include <fmt/format.h>

#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {

void advise_checkpoint(const Patient& patient, std::vector<Advice>& advice) {
  if (!patient.is("checkpoint_spike")) return;
  const double spike = patient.figure("taken in the spike");
  const std::string spike_text = bytes_text(spike);
  Remedy stream;
  stream.title = "Write the checkpoint from the tensors as they are, without cloning them and without a buffer";
  stream.code =
      "torch.save({\"model\": model.state_dict(), \"opt\": opt.state_dict()}, path)  # no .clone(), no BytesIO\n"
      "for name, shard in shards.items():  # or piece by piece\n"
      "    safetensors.torch.save_file(shard, f\"{path}/{name}.safetensors\")";
  stream.why = fmt::format(
      "The kill came {} into a copy made on top of {}. torch.save() writes each storage to the file in turn and needs "
      "no "
      "copy of all.",
      spike_text, bytes_text(patient.figure("held before")));
  stream.risk =
      "Training stands still while the file is written, and the pages being written count in the cgroup until "
      "they are on disk (they can be reclaimed).";
  advice.push_back({patient.share(spike), std::move(stream)});

  Remedy sharded;
  sharded.title = "With several ranks: save shards, each rank its own";
  sharded.code =
      "import torch.distributed.checkpoint as dcp\n"
      "dcp.save(state_dict, checkpoint_id=path)   # FSDP: SHARDED_STATE_DICT, not FULL_STATE_DICT";
  sharded.why =
      "A full state dict gathers all ranks' parameters on one host, or on each of them; shards need no more than "
      "a rank holds.";
  sharded.risk =
      "Loading into another number of ranks needs dcp.load(). dcp.async_save() stages a whole copy in host "
      "memory and keeps it between saves: use the synchronous form where memory is short.";
  advice.push_back({patient.share(spike) * 0.8, std::move(sharded)});
}

}  // namespace oomtrace::analysis
