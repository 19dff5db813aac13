"""What people type into the search of a report, and what it asks for; in all languages."""

PHRASES = {
    "en": {
        "two people and a dog": {"person": 2, "dog": 1},
        "3 cats, 2 cars": {"cat": 3, "car": 2},
        "dogs: 4": {"dog": 4},
        "twenty-one chairs": {"chair": 21},
        "two large dogs": {"dog": 2},
        "five hot dogs": {"hot dog": 5},
    },
    "en-GB": {"two lorries and one aeroplane": {"truck": 2, "airplane": 1}},
    "es": {
        "dos personas y un perro": {"person": 2, "dog": 1},
        "3 gatos": {"cat": 3},
        "veintiuna sillas": {"chair": 21},
    },
    "es-419": {"dos carros y un perro": {"car": 2, "dog": 1}, "3 gatos": {"cat": 3}},
    "fr": {
        "deux personnes et un chien": {"person": 2, "dog": 1},
        "3 chats": {"cat": 3},
        "une voiture": {"car": 1},
    },
    "de": {
        "zwei Personen und einen Hund": {"person": 2, "dog": 1},
        "ein Hund und zwei Menschen": {"dog": 1, "person": 2},
        "3 Katzen": {"cat": 3},
        "zwei große Hunde": {"dog": 2},
    },
    "it": {"due persone e un cane": {"person": 2, "dog": 1}, "3 gatti": {"cat": 3}},
    "nl": {"twee mensen en een hond": {"person": 2, "dog": 1}, "3 katten": {"cat": 3}},
    "pt": {"duas pessoas e um cachorro": {"person": 2, "dog": 1}, "3 gatos": {"cat": 3}},
    "pt-PT": {"duas pessoas e um cão": {"person": 2, "dog": 1}, "3 gatos": {"cat": 3}},
    "pl": {
        "dwie osoby i jeden pies": {"person": 2, "dog": 1},
        "pięć kotów": {"cat": 5},
        "22 krzesła": {"chair": 22},
    },
    "ru": {
        "два человека и одна собака": {"person": 2, "dog": 1},
        "пять кошек": {"cat": 5},
        "двадцать один стул": {"chair": 21},
    },
    "tr": {"iki kişi ve bir köpek": {"person": 2, "dog": 1}, "3 kedi": {"cat": 3}},
    "id": {"dua orang dan seekor anjing": {"person": 2, "dog": 1}, "3 kucing": {"cat": 3}},
    "ar": {
        "شخصان وكلب واحد": {"person": 2, "dog": 1},
        "ثلاثة كلاب": {"dog": 3},
        "3 قطط": {"cat": 3},
    },
    "hi": {"दो लोग और एक कुत्ता": {"person": 2, "dog": 1}, "3 बिल्लियाँ": {"cat": 3}},
    "zh": {"两个人和一只狗": {"person": 2, "dog": 1}, "3只猫": {"cat": 3}},
    "zh-Hant": {"兩個人和一隻狗": {"person": 2, "dog": 1}, "3隻貓": {"cat": 3}},
    "ja": {
        "人が二人と犬が一匹": {"person": 2, "dog": 1},
        "2匹の犬": {"dog": 2},
        "犬が2匹、3人": {"dog": 2, "person": 3},
    },
    "ko": {
        "사람 두 명과 개 한 마리": {"person": 2, "dog": 1},
        "두 마리의 개": {"dog": 2},
        "고양이 3마리": {"cat": 3},
    },
}
"""Language -> phrase -> class -> count; language.counting reads the same."""

BARE = {
    "en": {"dog": {"dog": 1}, "dogs and cats": {"dog": 1, "cat": 1}, "no dog": {"dog": 0}},
    "de": {"Hund": {"dog": 1}, "kein Hund, zwei Katzen": {"dog": 0, "cat": 2}},
    "es": {"perro": {"dog": 1}},
    "ar": {"كلب": {"dog": 1}, "كلب وقطة": {"dog": 1, "cat": 1}},
    "ja": {"犬": {"dog": 1}, "犬と猫": {"dog": 1, "cat": 1}},
    "zh": {"狗和猫": {"dog": 1, "cat": 1}},
    "ko": {"개와 고양이": {"dog": 1, "cat": 1}, "개와 고양이 두 마리": {"dog": 1, "cat": 2}},
    "ru": {"собака и кошка": {"dog": 1, "cat": 1}},
    "hi": {"कुत्ता": {"dog": 1}},
}
"""The same of what counts nothing: a bare name asks for at least one."""

REFUSED = {
    "en": [
        "two people without a dog",
        "a red car",
        "people or dogs",
        "exactly one person",
        "people more than 3",
        "no person for 3 s",
        "at least two people",
    ],
    "en-GB": ["a red lorry", "two aeroplanes without people"],
    "es": ["dos personas sin perro", "un coche rojo", "personas o perros"],
    "es-419": ["un carro rojo", "dos personas sin perro"],
    "fr": ["deux personnes sans chien", "une voiture rouge", "plus de trois personnes"],
    "de": ["zwei Personen ohne Hund", "ein rotes Auto", "mindestens zwei Personen"],
    "it": ["due persone senza cane", "un'auto rossa", "almeno due persone"],
    "nl": ["twee mensen zonder hond", "een rode auto"],
    "pt": ["duas pessoas sem cachorro", "um carro vermelho"],
    "pt-PT": ["duas pessoas sem cão", "um carro vermelho"],
    "pl": ["dwie osoby bez psa", "czerwony samochód"],
    "ru": ["два человека без собаки", "красная машина"],
    "tr": ["kırmızı araba", "iki büyük köpek", "en az iki kişi"],
    "id": ["dua orang tanpa anjing", "mobil merah"],
    "ar": ["سيارة حمراء", "شخصان بدون كلب"],
    "hi": ["लाल गाड़ी", "बिना कुत्ते के दो लोग"],
    "zh": ["红色的汽车", "至少两个人"],
    "zh-Hant": ["紅色的汽車", "至少兩個人"],
    "ja": ["赤い車", "2人以上"],
    "ko": ["빨간 자동차", "적어도 두 명의 사람"],
}
"""What asks for something else than how many of which classes there are."""
