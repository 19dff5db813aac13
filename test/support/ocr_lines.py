"""Lines to be read: signs, labels and sentences as a robot meets them, and how well they were."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

LINES = {
    "en": [
        "Emergency exit",
        "Platform 24, departs 10:35",
        "Do not lean on the doors",
        "Push to open",
        "Mind the gap between train and platform",
        "Authorized personnel only",
        "Caution: wet floor",
        "Meeting room 3B - second floor",
        "Recharge the battery before use",
        "Opening hours 8:30-17:00",
    ],
    "es": [
        "Salida de emergencia",
        "Andén número 24, sale a las 10:35",
        "No se apoye en las puertas",
        "Prohibido el paso a toda persona ajena",
        "¿Dónde está la estación más próxima?",
        "¡Atención, señal de peligro!",
        "Cárguese la batería antes del uso",
        "Horario de mañana: 8:30-14:00",
        "Piso segundo, habitación 315",
        "El niño pequeño cogió el pingüino",
    ],
    "zh": [
        "紧急出口",
        "请勿靠近车门",
        "第二十四站台十点三十五分发车",
        "小心地滑",
        "会议室在三楼",
        "使用前请先充电",
        "非工作人员禁止入内",
        "北京市朝阳区建国路",
        "机器人正在打扫房间",
        "营业时间8:30-17:00",
    ],
    "ja": [
        "非常口",
        "ドアに寄りかからないでください",
        "足元にご注意ください",
        "会議室は三階です",
        "使う前に充電してください",
        "関係者以外立入禁止",
        "東京都千代田区丸の内",
        "ロボットが部屋を掃除しています",
        "営業時間8:30-17:00",
        "次の電車は十時に発車します",
    ],
    "ko": [
        "비상구",
        "문에 기대지 마십시오",
        "이십사번 승강장",
        "바닥이 미끄러우니 조심하세요",
        "회의실은 삼층입니다",
        "사용하기 전에 충전하세요",
        "관계자 외 출입금지",
        "서울특별시 강남구",
        "로봇이 방을 청소하고 있습니다",
        "영업시간 8:30-17:00",
    ],
    "ru": ["Аварийный выход", "Не прислоняться", "Осторожно, мокрый пол", "Второй этаж"],
}


def page(lines, font_file, size, letters=(20, 20, 20), background=(245, 245, 240)):
    """Return a BGR picture with the lines on it, one below the other."""
    font = ImageFont.truetype(font_file, size)
    width = int(max(font.getlength(line) for line in lines)) + 4 * size
    image = Image.new("RGB", (width, int(len(lines) * 2.2 * size) + size), background)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        draw.text((2 * size, size + i * 2.2 * size), line, letters, font)
    return np.array(image)[:, :, ::-1].copy()


def read_lines(regions, lines, size):
    """Return what was read on each line of a page(), its parts joined from left to right."""
    read = [[] for _ in lines]
    for region in sorted(regions, key=lambda region: float(region.corners[:, 0].min())):
        i = int((float(region.corners[:, 1].mean()) - size) // (2.2 * size))
        read[min(max(i, 0), len(lines) - 1)].append(region.text)
    return ["".join(parts) for parts in read]


def accuracy(read, lines):
    """Return the share of characters that are right, and of lines; white space does not count."""
    wrong = total = exact = 0
    for got, line in zip(read, lines, strict=True):
        wanted = "".join(line.split())
        errors = distance("".join(got.split()), wanted)
        wrong, total, exact = wrong + errors, total + len(wanted), exact + (errors == 0)
    return max(0.0, 1 - wrong / total), exact / len(lines)


def distance(a, b):
    """Return how many characters must be put in, left out or replaced (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def worn(image, seed=0):
    """Return a picture as a cheap camera would take it: soft, noisy, JPEG."""
    soft = cv2.GaussianBlur(image, (3, 3), 0.8).astype(np.float32)
    noisy = soft + np.random.default_rng(seed).normal(0, 8, soft.shape)
    picture = np.clip(noisy, 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)
