"""The stt worker: `uvicorn workers.stt.main:app`."""

from workers.app import create_worker

app = create_worker("transcription")
