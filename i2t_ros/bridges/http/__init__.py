"""The HTTP listener: browsers, scripts and ESP32 cameras. docs/http_api.md says what they may send.

``server.HttpServer`` serves it, ``services.Services`` is what it serves. FastAPI and its companions
are an extra: ``pip install 'i2t_ros[web]'``; history and S3 need ``[history]`` and ``[s3]``.
"""
