"""The Python client: submit images, follow their jobs, fetch the crops.

    from cropsvc.client import Client

    with Client("http://localhost:5000") as client:
        crop = client.crop("cat.jpg", box="100,50,640,480", size="300x300")
        open("crop.jpg", "wb").write(crop.data)

It needs urllib3 and nothing of the server.
"""

from cropsvc.client.client import Client, Crop, Event
from cropsvc.client.errors import ClientError, JobFailed, NoAnswer, ServiceError
from cropsvc.client.model import Job, Output
from cropsvc.client.webhooks import Message, WrongSignature, verify_webhook

__all__ = [
    "Client",
    "ClientError",
    "Crop",
    "Event",
    "Job",
    "JobFailed",
    "Message",
    "NoAnswer",
    "Output",
    "ServiceError",
    "WrongSignature",
    "verify_webhook",
]
