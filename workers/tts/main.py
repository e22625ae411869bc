"""The tts worker: `uvicorn workers.tts.main:app`."""

from workers.app import create_worker

app = create_worker("speech")
