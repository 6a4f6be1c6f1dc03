#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches Debian's cloud kernels of several lines into a cache, with apt in a state directory of its own.

For each line the newest point release that the archive has is taken; the machine's own package lists stay untouched and
nothing is installed. Signatures are checked with the machine's keyring. Cache layout, one directory per line:

    LINE/vmlinuz  LINE/kernel.json {line, release, package, version}

Modules are not fetched: the guest's disks are NVMe, whose driver all these kernels have built in.
"""
import argparse
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

# Line -> suites that may carry it. A mirror keeps only what is current, so several suites are asked.
LINES = {
    "5.10": ["bullseye-security"],
    "6.1": ["bookworm", "bookworm-security"],
    "6.12": ["bookworm-backports", "bookworm-security", "trixie", "trixie-security"],
    "6.18": ["trixie-backports"],
    "7.3": ["trixie-backports"],
}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEFAULT_MIRRORS = ("http://deb.debian.org/debian", "http://deb.debian.org/debian-security")
REFRESH_SECONDS = 12 * 3600


class FetchError(Exception):
    """A message for people: what could not be had and why."""


def default_cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "oomtrace", "kernels")


def configured_uris():
    """All archive URIs in the machine's apt sources, one-line and deb822 form."""
    text = ""
    paths = ["/etc/apt/sources.list"]
    parts = "/etc/apt/sources.list.d"
    if os.path.isdir(parts):
        paths += [os.path.join(parts, name) for name in sorted(os.listdir(parts))]
    for path in paths:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text += file.read() + "\n"
        except OSError:
            continue
    uris = re.findall(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)", text, re.M)
    for value in re.findall(r"^URIs:\s*(.+)$", text, re.M | re.I):
        uris += value.split()
    return [uri.rstrip("/") for uri in uris]


def mirrors():
    """(main, security) archives: the machine's own where they are told by their path, else Debian's."""
    main, security = DEFAULT_MIRRORS
    uris = configured_uris()
    for uri in uris:
        if uri.endswith("/debian"):
            main = uri
            break
    for uri in uris:
        if uri.endswith("/debian-security"):
            security = uri
            break
    return main, security


class Apt:
    """apt-get and apt-cache over private lists and caches."""

    def __init__(self, root):
        self.root = root
        for part in ("state/lists/partial", "cache/archives/partial", "log"):
            os.makedirs(os.path.join(root, part), exist_ok=True)
        open(os.path.join(root, "state/status"), "a", encoding="ascii").close()
        main, security = mirrors()
        signed = f"[signed-by={KEYRING}]" if os.path.exists(KEYRING) else ""
        suites = sorted({suite for suites in LINES.values() for suite in suites})
        with open(os.path.join(root, "sources.list"), "w", encoding="ascii") as file:
            for suite in suites:
                uri = security if suite.endswith("-security") else main
                file.write(f"deb {signed} {uri} {suite} main\n")
        self.options = []
        for option in (f"Dir::State={root}/state", f"Dir::State::status={root}/state/status",
                       f"Dir::Cache={root}/cache",
                       "Dir::Cache::pkgcache=pkgcache.bin", "Dir::Cache::srcpkgcache=srcpkgcache.bin",
                       f"Dir::Etc::sourcelist={root}/sources.list", "Dir::Etc::sourceparts=-", f"Dir::Log={root}/log",
                       "APT::Architecture=amd64", "APT::Architectures=amd64", "Acquire::Languages=none",
                       "Acquire::Retries=2", "Acquire::http::Timeout=30", "APT::Sandbox::User=root"):
            self.options += ["-o", option]

    def run(self, tool, *arguments, check=True, cwd=None):
        done = subprocess.run([tool, *self.options, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, cwd=cwd, env=dict(os.environ, LC_ALL="C"), check=False)
        if check and done.returncode != 0:
            told = done.stderr.strip().splitlines() or ["failed"]
            raise FetchError(f"{tool} {arguments[0]}: {told[-1]}")
        return done

    def update(self):
        """Refreshes the lists; a suite that is gone leaves the others usable, hence the warnings as return value."""
        done = self.run("apt-get", "update", check=False)
        return [line for line in (done.stderr + done.stdout).splitlines() if line.startswith(("E:", "W:", "Err:"))]

    def versions(self, prefixes):
        """{package: [version, ...]} for all known packages whose name starts with one of the prefixes."""
        names = []
        for prefix in prefixes:
            names += self.run("apt-cache", "pkgnames", prefix).stdout.split()
        found = {}
        for start in range(0, len(names), 100):
            for row in self.run("apt-cache", "madison", *names[start:start + 100]).stdout.splitlines():
                name, version, _ = (part.strip() for part in row.split("|"))
                found.setdefault(name, []).append(version)
        return found


def newer(left, right):
    if left == right:
        return 0
    lower = subprocess.run(["dpkg", "--compare-versions", left, "lt", right], check=False).returncode == 0
    return -1 if lower else 1


def choose(apt, line):
    """(release, package, version) of the line's newest kernel, or None. Since 7.x images lie in linux-binary-*."""
    found = apt.versions([f"linux-image-{line}.", f"linux-binary-unsigned-{line}.", f"linux-binary-{line}."])
    releases = {}
    for name, versions in found.items():
        match = re.fullmatch(rf"linux-image-({re.escape(line)}\.\S+?-cloud-amd64)(-unsigned)?", name)
        if match:
            for version in versions:
                releases.setdefault(match.group(1), set()).add(version)
    best = None
    for release, versions in releases.items():
        for version in versions:
            if best is None or newer(best[1], version) < 0:
                best = (release, version)
    if best is None:
        return None
    release, version = best
    for name in (f"linux-binary-{release}", f"linux-binary-unsigned-{release}"):
        if version in found.get(name, []):
            return release, name, version
    for name in (f"linux-image-{release}", f"linux-image-{release}-unsigned"):
        if version in found.get(name, []):
            return release, name, version
    return None


def unpack_image(package, target):
    """Writes a package's kernel image to target: /boot/vmlinuz-REL, since 7.x lib/modules/REL/vmlinuz."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    base = os.path.basename(member.name)
                    if member.isfile() and (base == "vmlinuz" or base.startswith("vmlinuz-")):
                        with open(target, "wb") as file:
                            shutil.copyfileobj(archive.extractfile(member), file)
                        return  # apt has checked the package's hash; the modules behind it need not be unpacked
        except tarfile.TarError as error:
            raise FetchError(f"{os.path.basename(package)}: {error}") from error
        finally:
            process.kill()
    raise FetchError(f"no kernel image in {os.path.basename(package)}")


def cached(cache, line):
    try:
        with open(os.path.join(cache, line, "kernel.json"), encoding="utf-8") as file:
            kernel = json.load(file)
    except (OSError, ValueError):
        return None
    kernel["dir"] = os.path.join(cache, line)
    return kernel if os.path.exists(os.path.join(kernel["dir"], "vmlinuz")) else None


def install(apt, cache, line, release, package, version):
    """Downloads and unpacks one kernel; the line's directory is replaced only when all of it is there."""
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        apt.run("apt-get", "download", f"{package}={version}", cwd=scratch)
        debs = [name for name in os.listdir(scratch) if name.endswith(".deb")]
        into = os.path.join(scratch, "out")
        os.makedirs(into)
        unpack_image(os.path.join(scratch, debs[0]), os.path.join(into, "vmlinuz"))
        with open(os.path.join(into, "kernel.json"), "w", encoding="utf-8") as file:
            json.dump({"line": line, "release": release, "package": package, "version": version}, file)
        shutil.rmtree(os.path.join(cache, line), ignore_errors=True)
        os.rename(into, os.path.join(cache, line))
    return cached(cache, line)


def fetch(lines, cache, refresh=False, offline=False, say=lambda text: print(text, file=sys.stderr)):
    """({line: kernel}, {line: why there is none}). `kernel` is kernel.json with "dir" added."""
    os.makedirs(cache, exist_ok=True)
    kernels, missing = {}, {}
    stamp = os.path.join(cache, "updated")
    fresh = os.path.exists(stamp) and time.time() - os.path.getmtime(stamp) < REFRESH_SECONDS
    have = {line: cached(cache, line) for line in lines}
    if offline or (fresh and not refresh and all(have.values())):
        for line in lines:
            if have[line]:
                kernels[line] = have[line]
            else:
                missing[line] = "not in the cache"
        return kernels, missing
    apt = Apt(os.path.join(cache, "apt"))
    warnings = apt.update()
    for line in lines:
        try:
            choice = choose(apt, line)
            if choice is None:
                raise FetchError("gone from the archive" + (f" ({warnings[0]})" if warnings else ""))
            if have[line] and have[line]["version"] == choice[2]:
                kernels[line] = have[line]
                continue
            say(f"fetching {choice[1]} {choice[2]}")
            kernels[line] = install(apt, cache, line, *choice)
        except FetchError as error:
            if have[line]:
                say(f"{line}: {error}; using {have[line]['release']} from the cache")
                kernels[line] = have[line]
            else:
                missing[line] = str(error)
    if not missing:
        with open(stamp, "w", encoding="ascii"):
            pass
    return kernels, missing


def main():
    parser = argparse.ArgumentParser(description="Fetch Debian cloud kernels for the kernel matrix.")
    parser.add_argument("lines", nargs="*", metavar="LINE", help=f"kernel lines, default all: {' '.join(LINES)}")
    parser.add_argument("--cache", default=default_cache())
    parser.add_argument("--refresh", action="store_true", help="ask the archive even if that was done lately")
    parser.add_argument("--offline", action="store_true", help="use only what is in the cache")
    arguments = parser.parse_args()
    unknown = [line for line in arguments.lines if line not in LINES]
    if unknown:
        parser.error(f"unknown kernel line {unknown[0]}")
    kernels, missing = fetch(arguments.lines or list(LINES), arguments.cache, arguments.refresh, arguments.offline)
    for line, kernel in kernels.items():
        print(f"{line}\t{kernel['release']}\t{kernel['version']}\t{kernel['dir']}")
    for line, why in missing.items():
        print(f"{line}\tnot available: {why}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
