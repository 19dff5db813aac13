"""Hindi: verbs agree with all things in gender and number, and the robot itself has no gender."""

from __future__ import annotations

import pytest
from saying import said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("person=1", "मुझे एक व्यक्ति दिख रहा है।"),
        ("person=2", "मुझे दो लोग दिख रहे हैं।"),
        ("cat=1", "मुझे एक बिल्ली दिख रही है।"),
        ("cat=2", "मुझे दो बिल्लियाँ दिख रही हैं।"),
        ("car=11", "मुझे 11 कारें दिख रही हैं।"),
        ("cow=2 sheep=1", "मुझे दो गायें और एक भेड़ दिख रही हैं।"),
        ("cat=2 dog=1", "मुझे दो बिल्लियाँ और एक कुत्ता दिख रहे हैं।"),
        ("skis=2", "मुझे दो जोड़ी स्की दिख रही हैं।"),
        ("'potted plant=1'", "मुझे गमले में लगा एक पौधा दिख रहा है।"),
        ("'potted plant=2'", "मुझे गमलों में लगे दो पौधे दिख रहे हैं।"),
        ("'dining table=2' --style list", "इनकी पहचान हुई: खाने की 2 मेज़ें।"),
        ("dog=1 --style list", "इसकी पहचान हुई: 1 कुत्ता।"),
        ("forklift=2", "मुझे दो “forklift” दिख रहे हैं।"),
        ("cat=1 --unsure cat", "शायद मुझे एक बिल्ली दिख रही है।"),
        ("person=1 cat=1 elephant=1 --unsure cat --unsure elephant",
         "मुझे एक व्यक्ति दिख रहा है, और शायद एक बिल्ली और एक हाथी भी।"),
        ("person=1@left dog=1@left --style scene", "बाईं ओर एक व्यक्ति और एक कुत्ता हैं।"),
        ("person=2@left dog=1@middle --style scene",
         "बाईं ओर दो लोग हैं और बीच में एक कुत्ता है।"),
        ("person=2@left cat=1@middle --unsure cat --style scene",
         "बाईं ओर दो लोग हैं। बीच में शायद एक बिल्ली भी है।"),
        ("person=2 cat=1 dog=-1 --style changes",
         "दो लोग और एक बिल्ली नज़र आई हैं। एक कुत्ता नज़रों से ओझल हो गया है।"),
        ("scissors=-1 --style changes", "एक कैंची नज़रों से ओझल हो गई है।"),
        ("--faces 2", "तस्वीर में दो चेहरे हैं।"),
        ("--text EXIT --more-texts 1", "यहाँ लिखा है: “EXIT”। टेक्स्ट की एक और पंक्ति है।"),
        ("--text EXIT --more-texts 3", "यहाँ लिखा है: “EXIT”। टेक्स्ट की तीन और पंक्तियाँ हैं।"),
        ("--shows dog --unsure dog", "शायद: कुत्ता।"),
        ("--shows 'golden retriever'", "सबसे संभावित अनुमान: “golden retriever”।"),
    ],
)  # fmt: skip
def test_what_a_reader_would_report(arguments: str, sentence: str) -> None:
    assert said(arguments, "hi") == sentence
