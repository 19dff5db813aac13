"""What a text for a voice may not have."""

import unicodedata


def check_sayable(said: str) -> None:
    """Fail if a text for a voice has anything in it that no voice can say."""
    for char in said:
        kind = unicodedata.category(char)
        assert kind != "Nd", (char, said)
        assert kind[0] not in "SC" or char in "\u200c\u200d", (char, said)
        assert char not in '"“”„«»‘「」『』()[]{}•*_/%&@#', (char, said)
    assert said == said.strip()
    assert "  " not in said
