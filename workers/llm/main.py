"""The llm worker: `uvicorn workers.llm.main:app`."""

from workers.app import create_worker

app = create_worker("text")
