"""The cyclegan worker: `uvicorn workers.cyclegan.main:app`."""

from workers.app import create_worker

app = create_worker("image_transform")
