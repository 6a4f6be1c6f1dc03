// SPDX-License-Identifier: Apache-2.0
// Remedies: optimizer states and parameters in host memory.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/remedies/remedy.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kMomentBytes = 8;    // Adam: two fp32 moments a parameter
constexpr double kOffloadBytes = 16;  // fp32 weights, gradients and both moments
constexpr double kBuffers = 1.5;      // DeepSpeed's own factor for buffers (stage3.py, estimators)

}  // namespace

void advise_offload(const Patient& patient, std::vector<Advice>& advice) {
  if (!patient.is("offload_burst")) return;
  const double burst = patient.figure("taken in the burst");
  const double parameters = burst / kMomentBytes;

  Remedy light;
  light.title = "Use an optimizer with smaller states";
  light.code =
      "opt = bitsandbytes.optim.AdamW8bit(model.parameters(), lr)  # 2 bytes a parameter instead of 8\n"
      "# or torch.optim.SGD / Adafactor";
  light.why = fmt::format(
      "Adam's two moments take 8 bytes a parameter: the {} that came before the kill are {:.0f} million parameters, "
      "and "
      "more were to come. In 8 bits the same are {}.",
      bytes_text(burst), parameters / 1e6, bytes_text(burst / 4));
  light.risk = "8-bit states are on the GPU; another optimizer converges differently and needs its rate tuned anew.";
  advice.push_back({patient.share(burst) * 0.75, std::move(light)});

  Remedy nvme;
  nvme.title = "Offload to NVMe instead of host memory";
  nvme.code =
      "\"offload_optimizer\": {\"device\": \"nvme\", \"nvme_path\": \"/local_nvme\", \"pin_memory\": true}  "
      "# DeepSpeed, stage 3";
  nvme.why =
      fmt::format("The states then need host memory only for the part in flight, not {} at once.", bytes_text(burst));
  nvme.risk = "Steps wait for the disk, and it wears: 16 bytes a parameter are read and written at every step.";
  advice.push_back({patient.share(burst) * 0.7, std::move(nvme)});

  if (patient.figure("shared memory of it, as pinned pages count") > burst / 2) {
    Remedy pinned;
    pinned.title = "Pin less: PyTorch rounds each pinned block up to a power of two";
    pinned.code = "\"offload_optimizer\": {\"device\": \"cpu\", \"pin_memory\": false}";
    pinned.why = fmt::format(
        "A buffer just above a power of two takes nearly twice its size and is not returned: of {} up to half may be "
        "rounding.",
        bytes_text(burst));
    pinned.risk = "Copies between host and device are slower from memory that is not pinned.";
    advice.push_back({patient.share(burst) * 0.5, std::move(pinned)});
  }
  if (!patient.workers.empty()) {
    Remedy early;
    early.title = "Start the workers before the model's host tensors exist, or with forkserver";
    early.code =
        "loader = DataLoader(..., persistent_workers=True); iter(loader)  # before the model is built\n"
        "# or: DataLoader(..., multiprocessing_context=\"forkserver\")";
    early.why = fmt::format(
        "{} forked worker{} still map{} the weights as they were at the fork: the first step that writes them in place "
        "copies every page, up to {} more.",
        patient.workers.size(), patient.workers.size() == 1 ? "" : "s", patient.workers.size() == 1 ? "s" : "",
        bytes_text(std::max(0.0, patient.figure("held before") - burst)));
    early.risk = "With forkserver each worker loads the data set for itself: only for data sets in files or arrays.";
    advice.push_back({patient.share(burst) * 0.3, std::move(early)});
  }
  Remedy plan;
  plan.title = "Plan host memory by the number of parameters before the run";
  plan.command =
      "python3 -c \"from deepspeed.runtime.zero.stage3 import "
      "estimate_zero3_model_states_mem_needs_all_cold as e; e(total_params=N, largest_layer_params=M)\"";
  plan.why = fmt::format(
      "With all states on the host, {:.0f} million parameters need {:.0f} bytes each and half as much again for "
      "buffers: "
      "{}, where the limit is {}.",
      parameters / 1e6, kOffloadBytes, bytes_text(parameters * kOffloadBytes * kBuffers), format_bytes(patient.size));
  plan.risk = "None: it only computes. The number of parameters is the least that fits what was seen.";
  advice.push_back({0.02, std::move(plan)});
}

}  // namespace oomtrace::analysis
