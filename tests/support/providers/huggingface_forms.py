"""In which forms the partners behind Hugging Face's router answer and refuse, and the files that they make."""

from aiohttp import web

from genesis.net.exchange import Request
from genesis.providers import fake


def a_png():
    return fake.answer(Request("POST", "/image", form={"text": "a cat", "options": '{"quality": "draft"}'})).body


def a_wav():
    return fake.answer(Request("POST", "/speech", form={"text": "hello"})).body


def fal_envelope(request, name, status):
    root = f"https://queue.fal.run/{request.match_info['model'].partition('/requests/')[0]}/requests/{name}"
    urls = {"response_url": root, "status_url": f"{root}/status", "cancel_url": f"{root}/cancel"}
    return {"request_id": name, "status": status, "queue_position": 0, "logs": None, **urls}


def wavespeed_task(request, name, status):
    url = f"https://api.wavespeed.ai/api/v3/predictions/{name}/result"
    done = status == "completed"
    task = {
        "id": name,
        "status": status,
        "outputs": [f"http://{request.host}/files/image.png"] if done else [],
        "urls": {"get": url},
        "error": "Out of memory" if status == "failed" else "",
    }
    return {"code": 200, "message": "success", "data": task}


def refuse(status):
    headers = {"RateLimit": '"api";r=0;t=1', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}
    return web.json_response({"error": "refused"}, status=status, headers=headers if status == 429 else {})


def refuse_as_fal(status):
    return web.json_response({"detail": "refused"}, status=status, headers={"Retry-After": "1"})


def refuse_as_replicate(status):
    return web.json_response({"title": "No", "detail": "refused", "status": status}, status=status)


def refuse_as_openai(status):
    return web.json_response({"error": {"message": "refused", "type": "an_error", "code": None}}, status=status)


def refuse_as_wavespeed(status):
    return web.json_response({"code": status, "message": "refused"}, status=status)
