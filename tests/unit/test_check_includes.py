#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of check_includes.py must find its violation, and must let pass what is right."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_includes  # noqa: E402

RIGHT = {
    "README.md": "[how to](CONTRIBUTING.md#top), [kernel](https://kernel.org)",
    "CONTRIBUTING.md": "[the reader](userspace/trace/reader.h)",
    "include/oomtrace/abi.h": "#include <linux/types.h>\n",
    "include/oomtrace/event.h": '#include "oomtrace/abi.h"\n#include <vector>\n',
    "bpf/oom.bpf.c": '#include "helpers/emit.bpf.h"\n#include <bpf/bpf_helpers.h>\n',
    "bpf/helpers/emit.bpf.h": '#include "maps.bpf.h"\n#include "oomtrace/abi.h"\n',
    "bpf/helpers/maps.bpf.h": "",
    "userspace/base/fd.h": "",
    "userspace/base/fd.cpp": "void f() { ::close(3); }\n",
    "userspace/codec/decode.h": '#include "base/fd.h"\n#include "oomtrace/event.h"\n',
    "userspace/trace/reader.h": '#include "codec/decode.h"\nclass R { void close(); };\n',
    "userspace/trace/reader.cpp": '#include "trace/reader.h"\nvoid R::close() {}\n'
                                  'void R::end() { close(); file.close(); log("close()"); /* free() */ }\n',
    "userspace/capture/session.cpp": '#include <bpf/libbpf.h>\n#include "oomtrace.skel.h"\n',
    "userspace/capture/bpf_handles.h": "void f(bpf_link* l) { bpf_link__destroy(l); }\n",
    "userspace/cli/main.cpp": '#include "capture/session.h"\n#include "cli/verbs.h"\n',
    "userspace/cli/verbs.h": "",
    "userspace/capture/session.h": "",
}


class CheckIncludes(unittest.TestCase):
    def findings(self, changes):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {**RIGHT, **changes}.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
            return check_includes.check(root)

    def finds(self, path, text, *words):
        lines = self.findings({path: text})
        self.assertEqual(len(lines), 1, lines)
        self.assertTrue(lines[0].startswith(path + ":"), lines[0])
        for word in words:
            self.assertIn(word, lines[0])

    def test_what_is_right_passes(self):
        self.assertEqual(self.findings({}), [])

    def test_folder_that_may_not_be_included(self):
        self.finds("userspace/model/world.h", '\n#include "codec/decode.h"\n', ":2:", "codec/decode.h")

    def test_nothing_includes_cli(self):
        self.finds("userspace/capture/session.h", '#include "cli/verbs.h"\n', "nothing includes cli")

    def test_libbpf_outside_capture(self):
        self.finds("userspace/features/plan.h", "#include <bpf/libbpf.h>\n", "libbpf")

    def test_skeleton_outside_capture(self):
        self.finds("userspace/cli/verbs.h", '#include "oomtrace.skel.h"\n', "skeleton")

    def test_include_without_folder(self):
        self.finds("userspace/trace/writer.h", '#include "reader.h"\n', "write the folder")

    def test_include_that_does_not_exist(self):
        self.finds("userspace/trace/writer.h", '#include "trace/none.h"\n', "does not exist")

    def test_own_headers_in_angles(self):
        self.finds("userspace/trace/writer.h", "#include <base/fd.h>\n", "in quotes")

    def test_unknown_folder(self):
        self.finds("userspace/misc/x.h", "", "not in the include rules")

    def test_bpf_includes_a_cxx_contract(self):
        self.finds("bpf/oom.bpf.c", '#include "oomtrace/event.h"\n', "oomtrace/event.h")

    def test_bpf_includes_userspace(self):
        self.finds("bpf/oom.bpf.c", '#include "../userspace/base/fd.h"\n', "fd.h")

    def test_contract_includes_userspace(self):
        self.finds("include/oomtrace/event.h", '#include "base/fd.h"\n', "contract")

    def test_raw_releases(self):
        for call in ("close(fd);", "::close(fd);", "std::free(p);", "free(p);", "return close(fd);",
                     "ring_buffer__free(r);", "bpf_link__destroy(l);", "bpf_object__close(o);",
                     "oomtrace_bpf__destroy(s);", "if (x) close(fd);"):
            with self.subTest(call):
                self.finds("userspace/codec/decode.h", f"inline void f() {{ {call} }}\n", "handles are released")

    def test_global_close_beside_a_member_of_that_name(self):
        self.finds("userspace/trace/reader.cpp", "void R::end() { ::close(3); }\n", "handles are released")

    def test_long_file(self):
        self.finds("userspace/trace/long.cpp", "\n" * 501, "501 lines")
        self.assertEqual(self.findings({"userspace/trace/long.cpp": "\n" * 500}), [])

    def test_long_script_without_ending(self):
        self.finds("scripts/test", "\n" * 501, "501 lines")

    def test_dead_link(self):
        self.finds("README.md", "see [this](docs/none.md)\n", "docs/none.md")


if __name__ == "__main__":
    unittest.main()
