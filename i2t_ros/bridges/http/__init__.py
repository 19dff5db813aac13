"""The HTTP listener: browsers, scripts and ESP32 cameras. docs/http_api.md says what they may send.

``app.create_app`` puts it together, ``server.HttpServer`` serves it. FastAPI and what else it needs
are an extra: ``pip install 'i2t_ros[web]'``; history and S3 need ``[history]`` and ``[s3]``.
"""
