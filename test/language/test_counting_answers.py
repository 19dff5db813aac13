"""Answers as people and language models write them, in every language."""

from __future__ import annotations

import pytest

from i2t_ros.language import LANGUAGES, load_languages
from i2t_ros.language.counting import answered_counts

CLASSES = ("person", "dog", "cat", "car", "chair", "bicycle", "cup", "umbrella", "bench", "bed")

# Language -> question, answer, counts.
ANSWERS: dict[str, list[tuple[str, str, dict[str, int]]]] = {
    "en": [
        ("What is there?", "There are two people and a dog.", {"person": 2, "dog": 1}),
        ("", "I can see three young people sitting on a bench.", {"person": 3, "bench": 1}),
        ("", "The image shows 2 small brown dogs and one cat on a sofa.", {"dog": 2, "cat": 1}),
        ("How many people are there?", "Two.", {"person": 2}),
        ("How many dogs are in the picture?", "There are 3 in the picture.", {"dog": 3}),
        ("How many cats can you see?", "None.", {"cat": 0}),
        ("Is there a dog?", "No, there are no dogs in the picture.", {"dog": 0}),
        ("", "**Twelve** chairs, twenty-one cups and 1 bed", {"chair": 12, "cup": 21, "bed": 1}),
        ("", "- People: 2\n- Dogs: 1", {"person": 2, "dog": 1}),
        ("", "A man is holding an umbrella next to a parked car.", {"umbrella": 1, "car": 1}),
    ],
    "en-GB": [
        ("", "There are two people and one dog.", {"person": 2, "dog": 1}),
        ("", "I can see four chairs and a bed.", {"chair": 4, "bed": 1}),
        ("How many cars are there?", "There are five.", {"car": 5}),
        ("How many cars are there?", "5", {"car": 5}),
        ("", "There isn't a cat, but there are two bikes.", {"cat": 0, "bicycle": 2}),
        ("", "Three cups and an umbrella can be seen.", {"cup": 3, "umbrella": 1}),
    ],
    "es": [
        ("", "Hay dos personas y un perro.", {"person": 2, "dog": 1}),
        ("¿Cuántas personas hay?", "Hay dos.", {"person": 2}),
        ("¿Cuántos perros ves?", "3", {"dog": 3}),
        ("¿Hay algún gato?", "No hay ningún gato en la imagen.", {"cat": 0}),
        ("", "En la foto se ven tres coches aparcados y una bicicleta.", {"car": 3, "bicycle": 1}),
        ("", "Veo dos grandes perros y 21 sillas.", {"dog": 2, "chair": 21}),
        ("¿Cuántas personas hay?", "Una.", {"person": 1}),
    ],
    "es-419": [
        ("", "Hay tres personas junto a un auto.", {"person": 3, "car": 1}),
        ("¿Cuántos autos hay?", "Cuatro.", {"car": 4}),
        ("", "Se observan dos perros y un gato.", {"dog": 2, "cat": 1}),
        ("", "No hay ninguna silla.", {"chair": 0}),
        ("", "Dos bicicletas y un carro.", {"bicycle": 2, "car": 1}),
        ("¿Cuántos gatos hay?", "Hay 2 en la imagen.", {"cat": 2}),
    ],
    "fr": [
        ("", "Il y a deux personnes et un chien.", {"person": 2, "dog": 1}),
        ("Combien de personnes y a-t-il ?", "Il y en a trois.", {"person": 3}),
        ("Combien de chiens voyez-vous ?", "Deux.", {"dog": 2}),
        ("", "Je vois une voiture rouge, trois vélos et un parapluie.",
         {"car": 1, "bicycle": 3, "umbrella": 1}),
        ("", "Il n'y a aucun chat sur l'image.", {"cat": 0}),
        ("", "Sur la photo, 4 chaises et un lit sont visibles.", {"chair": 4, "bed": 1}),
        ("", "Un homme promène deux chiens noirs, et aucune voiture n’est visible.", {"dog": 2}),
    ],
    "de": [
        ("", "Es gibt zwei Personen und einen Hund.", {"person": 2, "dog": 1}),
        ("Wie viele Personen sind zu sehen?", "Drei.", {"person": 3}),
        ("Wie viele Hunde gibt es?", "Es sind zwei zu sehen.", {"dog": 2}),
        ("", "Auf dem Bild sind drei Menschen, ein Auto und zwei Fahrräder.",
         {"person": 3, "car": 1, "bicycle": 2}),
        ("", "Ich sehe zwei kleine Katzen auf einem Bett.", {"cat": 2}),
        ("", "Nein, es ist keine Katze zu sehen.", {"cat": 0}),
        ("", "Vier Stühle und 11 Tassen.", {"chair": 4, "cup": 11}),
    ],
    "pt": [
        ("", "Há duas pessoas e um cachorro.", {"person": 2, "dog": 1}),
        ("Quantas pessoas há na imagem?", "Três.", {"person": 3}),
        ("Quantos carros você vê?", "Vejo dois.", {"car": 2}),
        ("", "Estou vendo um gato e três cadeiras brancas.", {"cat": 1, "chair": 3}),
        ("", "Não há nenhum cachorro na imagem.", {"dog": 0}),
        ("", "A imagem mostra duas bicicletas e um carro.", {"bicycle": 2, "car": 1}),
    ],
    "pt-PT": [
        ("", "Estão duas pessoas e um cão na fotografia.", {"person": 2, "dog": 1}),
        ("Quantos cães há?", "2", {"dog": 2}),
        ("Quantas pessoas há?", "Há quatro.", {"person": 4}),
        ("", "Vejo três chávenas e um guarda-chuva.", {"cup": 3, "umbrella": 1}),
        ("", "Não há nenhum gato.", {"cat": 0}),
        ("", "Um carro, dezasseis cadeiras e uma cama.", {"car": 1, "chair": 16, "bed": 1}),
    ],
    "it": [
        ("", "Ci sono due persone e un cane.", {"person": 2, "dog": 1}),
        ("Quante persone ci sono?", "Tre.", {"person": 3}),
        ("Quanti gatti vedi?", "Ce ne sono due.", {"cat": 2}),
        ("", "Vedo un’auto e tre biciclette.", {"car": 1, "bicycle": 3}),
        ("", "Nella foto si vedono quattro sedie e un ombrello.", {"chair": 4, "umbrella": 1}),
        ("", "Non c'è nessun cane nella foto.", {"dog": 0}),
    ],
    "nl": [
        ("", "Er zijn twee mensen en een hond.", {"person": 2, "dog": 1}),
        ("Hoeveel personen zijn er?", "Drie.", {"person": 3}),
        ("Hoeveel honden zie je?", "Ik zie er twee.", {"dog": 2}),
        ("", "Ik zie twee auto's, één fiets en een kleine kat.",
         {"car": 2, "bicycle": 1, "cat": 1}),
        ("", "Er zijn geen katten op de foto.", {"cat": 0}),
        ("", "Vier stoelen en elf kopjes.", {"chair": 4, "cup": 11}),
    ],
    "pl": [
        ("", "Na zdjęciu są dwie osoby i pies.", {"person": 2, "dog": 1}),
        ("Ile osób jest na zdjęciu?", "Trzy.", {"person": 3}),
        ("Ile psów widać?", "Widać dwa.", {"dog": 2}),
        ("", "Widzę pięć samochodów i jeden rower.", {"car": 5, "bicycle": 1}),
        ("", "Są tam dwa duże koty.", {"cat": 2}),
        ("", "Nie ma żadnych psów na zdjęciu.", {"dog": 0}),
        ("", "Na obrazie widać pięć osób i 22 krzesła.", {"person": 5, "chair": 22}),
    ],
    "ru": [
        ("", "На фотографии два человека и собака.", {"person": 2, "dog": 1}),
        ("Сколько человек на фото?", "Три человека.", {"person": 3}),
        ("Сколько собак на фото?", "Две.", {"dog": 2}),
        ("Сколько людей на картинке?", "5", {"person": 5}),
        ("", "Я вижу пять человек, две большие собаки и одну машину.",
         {"person": 5, "dog": 2, "car": 1}),
        ("", "На фото нет собак.", {"dog": 0}),
        ("", "Двадцать один стул и 3 велосипеда.", {"chair": 21, "bicycle": 3}),
        ("", "Двадцать человек, 35 стульев и собака. Кошек нет.",
         {"person": 20, "chair": 35, "dog": 1, "cat": 0}),
    ],
    "tr": [
        ("", "Fotoğrafta iki kişi ve bir köpek var.", {"person": 2, "dog": 1}),
        ("Kaç kişi var?", "Üç.", {"person": 3}),
        ("Kaç köpek var?", "İki köpek var.", {"dog": 2}),
        ("", "Üç araba ve iki tane bisiklet görüyorum.", {"car": 3, "bicycle": 2}),
        ("", "Resimde 4 sandalye bulunuyor.", {"chair": 4}),
        ("", "Hiç kedi yok.", {"cat": 0}),
        ("", "Bir büyük köpek ve on iki insan var.", {"dog": 1, "person": 12}),
        ("", "İki kişi bankta oturuyor, bir kedi masada uyuyor.", {"person": 2, "cat": 1}),
    ],
    "ar": [
        ("", "يوجد شخصان وكلب في الصورة.", {"person": 2, "dog": 1}),
        ("كم شخصًا في الصورة؟", "ثلاثة.", {"person": 3}),
        ("كم عدد الكلاب؟", "أرى كلبين.", {"dog": 2}),
        ("", "أرى ثلاثة أشخاص وسيارة واحدة.", {"person": 3, "car": 1}),
        ("", "في الصورة 5 كراسي وقطتان.", {"chair": 5, "cat": 2}),
        ("", "لا يوجد كلب في الصورة.", {"dog": 0}),
        ("", "هناك أحد عشر شخصاً.", {"person": 11}),
        ("", "أرى شخصاً واحداً وكلبين وقطة. لا توجد سيارات.",
         {"person": 1, "dog": 2, "cat": 1, "car": 0}),
    ],
    "hi": [
        ("", "तस्वीर में दो लोग और एक कुत्ता हैं।", {"person": 2, "dog": 1}),
        ("तस्वीर में कितने लोग हैं?", "तीन।", {"person": 3}),
        ("कितनी कारें हैं?", "चार कारें हैं।", {"car": 4}),
        ("", "मुझे पांच कुर्सियाँ और एक बिल्ली दिख रही हैं।", {"chair": 5, "cat": 1}),
        ("", "दो छोटे कुत्ते बैठे हैं।", {"dog": 2}),
        ("", "कोई कुत्ता नहीं है।", {"dog": 0}),
        ("", "यहाँ 3 साइकिलें और 12 लोग हैं।", {"bicycle": 3, "person": 12}),
        ("", "दो लोग सड़क पर चल रहे हैं और एक कुत्ता सो रहा है।", {"person": 2, "dog": 1}),
        ("", "कोई बिल्ली नहीं दिख रही है।", {"cat": 0}),
    ],
    "id": [
        ("", "Ada dua orang dan seekor anjing.", {"person": 2, "dog": 1}),
        ("Ada berapa orang?", "Tiga.", {"person": 3}),
        ("Berapa kucing yang terlihat?", "Ada dua ekor.", {"cat": 2}),
        ("", "Saya melihat tiga mobil dan sebuah sepeda.", {"car": 3, "bicycle": 1}),
        ("", "Ada empat buah kursi di dalam gambar.", {"chair": 4}),
        ("", "Tidak ada anjing di gambar ini.", {"dog": 0}),
        ("", "Ada seorang yang sedang duduk dan 2 ekor kucing.", {"person": 1, "cat": 2}),
        ("", "Seekor anjing tidur di sofa. Seorang pria memegang payung.", {"dog": 1}),
    ],
    "zh": [
        ("", "图中有两个人和一只狗。", {"person": 2, "dog": 1}),
        ("有多少人？", "3个人。", {"person": 3}),
        ("图片里有几只狗？", "两只。", {"dog": 2}),
        ("", "我看到三辆汽车、一辆自行车和十二把椅子。", {"car": 3, "bicycle": 1, "chair": 12}),
        ("", "照片里有两只棕色的小狗。", {"dog": 2}),
        ("", "图片里没有狗。", {"dog": 0}),
        ("", "有5人，1只猫。", {"person": 5, "cat": 1}),
        ("", "三个人骑自行车，地上有两只小狗，没有猫。", {"person": 3, "dog": 2, "cat": 0}),
    ],
    "zh-Hant": [
        ("", "圖片中有兩個人和一隻狗。", {"person": 2, "dog": 1}),
        ("有多少人？", "三個。", {"person": 3}),
        ("有幾隻貓？", "2", {"cat": 2}),
        ("", "我看到三輛汽車和一輛腳踏車。", {"car": 3, "bicycle": 1}),
        ("", "畫面中沒有貓。", {"cat": 0}),
        ("", "有四張椅子，還有兩隻黑色的貓。", {"chair": 4, "cat": 2}),
    ],
    "ja": [
        ("", "人が二人と犬が一匹います。", {"person": 2, "dog": 1}),
        ("何人いますか？", "3人です。", {"person": 3}),
        ("犬は何匹いますか？", "二匹です。", {"dog": 2}),
        ("", "写真には2匹の犬と3台の車が写っています。", {"dog": 2, "car": 3}),
        ("", "車が十二台、自転車が1台あります。", {"car": 12, "bicycle": 1}),
        ("", "猫はいません。", {"cat": 0}),
        ("", "2人がベンチに座っています。", {"person": 2}),
        ("", "車椅子1台と椅子が2脚、赤い車が1台あります。", {"chair": 2, "car": 1}),
    ],
    "ko": [
        ("", "사람 두 명과 개 한 마리가 있습니다.", {"person": 2, "dog": 1}),
        ("사람이 몇 명 있나요?", "세 명입니다.", {"person": 3}),
        ("개가 몇 마리 있습니까?", "2마리 있습니다.", {"dog": 2}),
        ("", "사진에는 자동차 3대와 자전거가 한 대 보입니다.", {"car": 3, "bicycle": 1}),
        ("", "두 마리의 고양이가 있습니다.", {"cat": 2}),
        ("", "고양이는 없습니다.", {"cat": 0}),
        ("", "두 사람이 의자 네 개 옆에 서 있습니다.", {"person": 2, "chair": 4}),
        ("", "벤치에 두 사람이 앉아 있고 옆에 개가 한 마리 있습니다.", {"person": 2, "dog": 1}),
        ("", "사람은 5명이고 차는 2대예요. 강아지 인형 2개.", {"person": 5, "car": 2}),
    ],
}  # fmt: skip


def test_every_language_has_answers() -> None:
    assert set(ANSWERS) == set(LANGUAGES)
    assert all(len(answers) >= 6 for answers in ANSWERS.values())


@pytest.mark.parametrize(
    ("language", "question", "answer", "counts"),
    [(language, *each) for language, answers in ANSWERS.items() for each in answers],
)
def test_an_answer_counts(language: str, question: str, answer: str, counts: dict) -> None:
    spoken = load_languages().get(language)

    assert answered_counts(question, answer, CLASSES, spoken) == counts
