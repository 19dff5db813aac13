"""Error messages in Spanish, which clients of protocol version 1 expect."""

from __future__ import annotations

from collections.abc import Mapping

SPANISH_REASONS: Mapping[str, str] = {
    "error": "error interno del servidor",
    "bad_image": "la imagen no se puede usar",
    "empty_image": "la imagen está vacía",
    "not_an_image": "los datos recibidos no son una imagen",
    "truncated_image": "la imagen está incompleta",
    "unsupported_format": "el formato de la imagen no se admite",
    "image_too_large": "la imagen es demasiado grande",
    "bad_image_message": "el mensaje de imagen no es válido",
    "bad_request": "la petición no se puede atender",
    "invalid_request": "la petición no es válida",
    "unknown_task": "la tarea no existe o no está disponible",
    "unknown_language": "el idioma no está disponible",
    "unknown_style": "el estilo de frase no existe",
    "unknown_camera": "la cámara no existe",
    "no_frame": "la cámara todavía no ha enviado ninguna imagen",
    "bad_model": "el modelo no se puede usar",
    "unknown_model": "el modelo no existe",
    "model_missing": "el modelo no está en este equipo",
    "model_corrupt": "el archivo del modelo está dañado",
    "model_mismatch": "el modelo no corresponde a su descripción",
    "download_failed": "no se pudo descargar el modelo",
    "cache_not_writable": "no se pudo guardar el modelo",
    "bad_backend": "el motor de inferencia ha fallado",
    "backend_missing": "el motor de inferencia no está instalado",
    "backend_unavailable": "el motor de inferencia no está disponible",
    "inference_failed": "el motor de inferencia falló con esta imagen",
    "bad_source": "la fuente de imágenes ha fallado",
    "source_missing": "no se encuentra la fuente de imágenes",
    "source_unreadable": "no se puede leer la fuente de imágenes",
    "source_lost": "se perdió la fuente de imágenes",
    "service_error": "el servicio no puede atender la petición",
    "busy": "el servidor está ocupado, inténtelo de nuevo",
    "time_limit": "se agotó el tiempo de espera",
    "not_active": "el detector no está activo",
    "translation_failed": "no se pudo traducir el texto",
    "detector_unreachable": "no se encuentra el detector",
}
"""Code of an I2tError -> reason, which follows "Ocurrió el siguiente error: "."""
