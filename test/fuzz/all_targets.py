"""Every target, by its name."""

from target_forms import Forms
from target_http import Http
from target_messages import Messages
from target_pictures import Pictures
from target_services import Services
from target_tcp import Tcp
from target_websocket import WebSocket

TARGETS = {kind.name: kind for kind in (Pictures, Tcp, Http, Forms, WebSocket, Messages, Services)}
