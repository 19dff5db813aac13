"""Where sounds go: a player that stands in for a loudspeaker, and a folder."""

import os
import re
import secrets
import shutil

import pytest
from sounds import InThread, StandInPlayer, silence, write_program
from waiting import has_ended, until

from i2t_ros.errors import BackendMissingError, InvalidRequestError, SpeechError
from i2t_ros.speech import outputs
from i2t_ros.speech.outputs import PLAYERS, Loudspeaker, SoundFolder


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Put a folder before all others where programs are looked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


def test_a_sound_is_played_to_its_end(path):
    player = StandInPlayer(path)
    loudspeaker = Loudspeaker("aplay")
    playing = InThread(loudspeaker.give, silence(1))
    until(lambda: player.playing, "it begins")
    assert playing.is_alive()
    player.end()
    assert playing.outcome() is None
    assert player.sounds == [silence(1)]
    assert re.fullmatch(r"-q /proc/self/fd/\d+", player.arguments[0])


@pytest.mark.parametrize("name", PLAYERS)
def test_each_player_is_told_of_the_device_in_one_word(path, name):
    player = StandInPlayer(path, name)
    loudspeaker = Loudspeaker(name, "-x; hw:1")
    playing = InThread(loudspeaker.give, silence(1))
    until(lambda: player.playing, "it begins")
    player.end()
    assert playing.outcome() is None
    assert f"{PLAYERS[name][1]}-x; hw:1 /proc/self/fd/" in player.arguments[0]
    assert loudspeaker.title == f"{name} on -x; hw:1"


def test_a_stop_ends_the_player(path):
    player = StandInPlayer(path)
    loudspeaker = Loudspeaker("aplay")
    playing = InThread(loudspeaker.give, silence(1))
    until(lambda: player.playing, "it begins")
    loudspeaker.stop()
    assert isinstance(playing.outcome(5.0), SpeechError)
    until(lambda: has_ended(player.playing[0]), "the player ends")
    with pytest.raises(SpeechError, match="stopped"):
        loudspeaker.give(silence(1))


def test_a_player_that_hangs_is_ended(path, monkeypatch):
    player = StandInPlayer(path)
    monkeypatch.setattr(outputs, "LATE", 0.2)
    with pytest.raises(SpeechError, match="it took over"):
        Loudspeaker("aplay").give(silence(0.1))
    assert player.playing
    assert has_ended(player.playing[0])


def test_a_device_that_is_not_there_is_told_in_the_players_words(path):
    write_program(path, "aplay", "echo 'audio open error: No such device' >&2; exit 1")
    with pytest.raises(SpeechError, match="aplay failed with 1: audio open error: No such device"):
        Loudspeaker("aplay").give(silence(1))


@pytest.mark.skipif(not shutil.which("aplay"), reason="no alsa-utils")
def test_the_real_aplay_takes_a_sound_and_names_a_device_that_is_none():
    Loudspeaker("aplay", "null").give(silence(1))  # ALSA's device that plays to nobody
    with pytest.raises(SpeechError, match=r"aplay failed with 1: aplay: .*open error"):
        Loudspeaker("aplay", "no_such_device").give(silence(1))


def test_what_is_no_sound_is_not_played(path):
    player = StandInPlayer(path)
    with pytest.raises(SpeechError, match="became no sound"):
        Loudspeaker("aplay").give(b"RIFF")
    assert player.playing == []


def test_a_player_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendMissingError, match="no program aplay or paplay or pw-play"):
        Loudspeaker()
    with pytest.raises(BackendMissingError, match="apt-get install pulseaudio-utils"):
        Loudspeaker("paplay")
    write_program(tmp_path, "pw-play", "")
    assert Loudspeaker().title == "pw-play"


def test_a_folder_keeps_each_sound_and_takes_its_time(tmp_path):
    folder = SoundFolder(str(tmp_path / "new" / "sounds"))
    giving = InThread(folder.give, silence(30))
    until(lambda: list(tmp_path.glob("new/sounds/*.wav")), "the file is there")
    assert giving.is_alive()
    folder.stop()
    assert giving.outcome(5.0) is None
    with pytest.raises(SpeechError, match="stopped"):
        folder.give(silence(1))
    folder.start()
    folder.give(silence(0.01))
    files = sorted((tmp_path / "new" / "sounds").iterdir())
    assert [file.read_bytes() for file in files] == [silence(30), silence(0.01)]
    assert all(re.fullmatch(r"\d{8}T\d{12}\.wav", file.name) for file in files)


def test_a_folder_keeps_the_newest_sounds_and_all_that_is_not_ours(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "KEPT", 3)
    (tmp_path / "mine.wav").write_bytes(b"mine")
    folder = SoundFolder(str(tmp_path))
    for number in range(1, 6):
        folder.give(silence(number / 100))
    kept = sorted(path for path in tmp_path.iterdir() if path.name != "mine.wav")
    assert [path.read_bytes() for path in kept] == [silence(n / 100) for n in (3, 4, 5)]
    assert (tmp_path / "mine.wav").read_bytes() == b"mine"


def test_files_stay_in_their_order_when_the_clock_is_set_back(tmp_path, monkeypatch):
    """As on a robot without a battery for its clock: none is lost, and none is overwritten."""
    monkeypatch.setattr(outputs, "KEPT", 4)
    times = iter(["20261130T100000000000", "20261130T095959000000", "20261130T095959000000"])
    monkeypatch.setattr(outputs, "_now", lambda: next(times, "20251130T095959000000"))
    folder = SoundFolder(str(tmp_path))
    for number in range(1, 7):
        folder.give(silence(number / 100))
        kept = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
        assert kept == [silence(n / 100) for n in range(max(1, number - 3), number + 1)]


def test_others_who_write_to_the_folder_cannot_turn_its_files_elsewhere(tmp_path):
    """Anybody may have made the folder; what is to be written goes to no other file."""
    mine, sounds = tmp_path / "mine", tmp_path / "sounds"
    mine.write_text("mine")
    sounds.mkdir()
    for name in (".trial", ".trial.part"):
        (sounds / name).symlink_to(mine)
    SoundFolder(str(sounds)).give(silence(0.01))
    assert mine.read_text() == "mine"
    assert (sounds / ".trial").readlink() == mine
    assert len(list(sounds.glob("*.wav"))) == 1


def test_the_names_that_are_written_to_are_new_each_time_and_follow_no_link(tmp_path, monkeypatch):
    (tmp_path / "mine").write_text("mine")
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0" * 16)
    monkeypatch.setattr(outputs, "_now", lambda: "20261130T100000000000")
    monkeypatch.setattr(outputs, "_after", lambda _: "20261130T100000000000")
    folder = SoundFolder(str(tmp_path))
    link = tmp_path / f".20261130T100000000000-{'0' * 16}.part"
    link.symlink_to(tmp_path / "mine")
    with pytest.raises(SpeechError, match="File exists"):
        folder.give(silence(0.01))
    assert (tmp_path / "mine").read_text() == "mine"
    assert link.is_symlink()
    assert list(tmp_path.glob("*.wav")) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_an_error_and_nothing_partial_stays(tmp_path, monkeypatch):
    folder = SoundFolder(str(tmp_path))

    class FullPath(type(tmp_path)):
        def open(self, mode):
            assert mode == "xb"
            self.touch()
            return open("/dev/full", "wb")

    monkeypatch.setattr(folder, "_folder", FullPath(tmp_path))
    with pytest.raises(SpeechError, match="No space left on device"):
        folder.give(silence(0.01))
    assert list(tmp_path.iterdir()) == []


def test_nodes_that_start_at_once_share_a_folder(tmp_path):
    makers = [InThread(lambda: [SoundFolder(str(tmp_path)) for _ in range(100)]) for _ in range(4)]
    assert all(isinstance(maker.outcome(), list) for maker in makers)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_node_left_half_written_goes_with_the_oldest(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "KEPT", 2)
    (tmp_path / f".20261130T100000000000-{'a' * 16}.part").write_bytes(b"RIFF")
    (tmp_path / ".another.part").write_bytes(b"mine")
    folder = SoundFolder(str(tmp_path))
    for _ in range(2):
        folder.give(silence(0.01))
    assert len(list(tmp_path.glob("*.wav"))) == 2
    assert [path.name for path in tmp_path.glob("*.part")] == [".another.part"]


def test_a_folder_that_goes_away_is_an_error_and_nothing_partial_stays(tmp_path):
    folder = SoundFolder(str(tmp_path / "sounds"))
    (tmp_path / "sounds").rmdir()
    with pytest.raises(SpeechError, match="No such file or directory"):
        folder.give(silence(0.01))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["/dev/null/sounds", "/proc/sounds", "/dev/null"])
def test_a_folder_that_cannot_be_written_to_is_refused(name):
    with pytest.raises(InvalidRequestError, match=f"speech_folder {name}: expected a folder"):
        SoundFolder(name)


def test_home_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert SoundFolder("~/sounds").title == str(tmp_path / "sounds")
    assert os.listdir(tmp_path / "sounds") == []


def test_a_stop_before_the_sound_leaves_no_file(tmp_path):
    folder = SoundFolder(str(tmp_path))
    folder.stop()
    with pytest.raises(SpeechError):
        folder.give(silence(1))
    assert os.listdir(tmp_path) == []
