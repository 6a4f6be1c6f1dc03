# SPDX-License-Identifier: Apache-2.0
"""Real kills in cgroups as container runtimes, Kubernetes and Slurm make them: events name container, pod, job, step."""
import json
import os
import signal
import time

import harness

UID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
SYSTEMD_UID = UID.replace("-", "_")


def container(number):
    return f"{number:02x}" * 32


# What it is, path below a cgroup of ours, and what the events say of it.
SHAPES = (
    ("docker, cgroupfs driver", f"docker/{container(1)}", {"container": container(1)}),
    ("docker, systemd driver", f"system.slice/docker-{container(2)}.scope", {"container": container(2)}),
    ("podman", f"machine.slice/libpod-{container(3)}.scope/container", {"container": container(3)}),
    ("containerd without Kubernetes", f"default/{container(4)}", {"container": container(4)}),
    ("Kubernetes on containerd, cgroupfs driver", f"kubepods/burstable/pod{UID}/{container(5)}",
     {"container": container(5), "pod": UID}),
    ("Kubernetes on containerd, systemd driver",
     f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SYSTEMD_UID}.slice/"
     f"cri-containerd-{container(6)}.scope", {"container": container(6), "pod": UID}),
    ("Kubernetes on cri-o, systemd driver",
     f"kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{SYSTEMD_UID}.slice/"
     f"crio-{container(7)}.scope", {"container": container(7), "pod": UID}),
    ("Kubernetes on cri-o, cgroupfs driver", f"kubepods/besteffort/pod{UID}/crio-{container(8)}",
     {"container": container(8), "pod": UID}),
    ("a guaranteed pod", f"kubepods.slice/kubepods-pod{SYSTEMD_UID}.slice/cri-containerd-{container(9)}.scope",
     {"container": container(9), "pod": UID}),
    ("Slurm, version 1", "slurm/uid_1000/job_4711/step_0/task_2", {"job": "4711", "step": "0"}),
    ("Slurm, version 1, one slurmd of several", "slurm_node7/uid_1000/job_4712/step_batch",
     {"job": "4712", "step": "batch"}),
    ("Slurm, version 2", "system.slice/slurmstepd.scope/job_12/step_extern/user/task_0",
     {"job": "12", "step": "extern"}),
    ("a Slurm job that runs a container", f"slurm/uid_1000/job_5/step_1/docker/{container(10)}",
     {"job": "5", "step": "1", "container": container(10)}),
    ("nothing of the kind", "user.slice/user-1000.slice/session-3.scope", {}),
)


def identity_of(event):
    """As in SHAPES."""
    found = {"container": event.get("container", {}).get("id"),
             "pod": event.get("k8s", {}).get("pod", {}).get("uid"),
             "job": event.get("slurm", {}).get("job", {}).get("id"),
             "step": event.get("slurm", {}).get("step", {}).get("id")}
    return {name: value for name, value in found.items() if value is not None}


class Identities(harness.LiveTest):
    def nested(self, top, path):
        """The cgroup at the path, with its ancestors; all are removed in the end."""
        group = top
        for name in path.split("/"):
            below = os.path.join(group.dir, name)
            group = self.made.get(below) or self.group(parent=group, name=name)
            self.made[below] = group
        return group

    def test_every_shape_is_named_in_the_events_of_a_kill(self):
        self.made = {}
        stream = os.path.join(self.dir, "events.ndjson")
        recorder = self.recorder("--stream", stream)
        top = self.group(name=harness.OWN_PREFIX + "ids")
        victims = {}
        for number, (what, path, _) in enumerate(SHAPES):
            group = self.nested(top, path)
            group.limit(64 * harness.MIB)
            hog = self.workload(group, "grow", name=f"hog{number}", cap=128)
            self.assertEqual(hog.wait(), -signal.SIGKILL, what)
            victims[what] = hog.pid
        time.sleep(1)
        self.assertEqual(recorder.stop(), 0)
        with open(stream, encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        report = self.report()
        for what, path, expected in SHAPES:
            with self.subTest(shape=what):
                of_victim = [event for event in events if event.get("process", {}).get("pid") == victims[what]
                             and event.get("cgroup", {}).get("path", "").endswith(path)]
                kinds = {event["event"] for event in of_victim}
                self.assertLessEqual({"oom.kill", "oom.candidate"}, kinds, f"of {path}")
                for event in of_victim:
                    self.assertEqual(identity_of(event), expected, event["event"])
                counted = [event for event in events if event["event"] == "cgroup.memory"
                           and event["cgroup"].get("path", "").endswith(path)]
                for event in counted:
                    self.assertEqual(identity_of(event), expected, "cgroup.memory")
                incident = next(incident for incident in report["incidents"]
                                if incident["victims"][0]["pid"] == victims[what])
                self.assertTrue(incident["domain"]["cgroup"].endswith(path))
                self.assert_job(incident["victims"][0]["job"] or "", expected)

    def assert_job(self, job, expected):
        """The report's word for the job: Slurm's before the pod's before the container's."""
        if "job" in expected:
            self.assertEqual(job, f"Slurm job {expected['job']} step {expected['step']}")
        elif "pod" in expected:
            self.assertEqual(job, f"pod {expected['pod']}")
        elif "container" in expected:
            self.assertEqual(job, f"container {expected['container'][:12]}")
