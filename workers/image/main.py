"""The image worker: `uvicorn workers.image.main:app`."""

from workers.app import create_worker

app = create_worker("image")
