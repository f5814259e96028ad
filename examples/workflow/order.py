r"""The same order with the Upstash Workflow SDK for Python.

    pip install upstash-workflow==0.1.4 qstash==2.0.5 fastapi uvicorn
    QSTASH_URL=http://127.0.0.1:8080 QSTASH_TOKEN=… uvicorn order:app --port 3000
    curl http://127.0.0.1:8080/v2/publish/http://127.0.0.1:3000/order -H "Authorization: Bearer $QSTASH_TOKEN" \
      -H "Content-Type: application/json" -d '{"id": "1", "items": ["tea", "cups"]}'

With QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY it takes nothing but what the server has signed.

The SDK for Python has steps in sequence, sleeps and calls; no parallel steps, events, webhooks or invocations.
"""

from urllib.parse import urljoin

from fastapi import FastAPI
from upstash_workflow import AsyncWorkflowContext
from upstash_workflow.fastapi import Serve

app = FastAPI()
serve = Serve(app)


@app.post("/ship")
async def ship() -> str:
    return "on its way"


@serve.post("/order")
async def order(context: AsyncWorkflowContext[dict]) -> None:
    payload = context.request_payload

    async def _price() -> int:
        return len(payload["items"]) * 10

    total = await context.run("price", _price)
    await context.sleep("let the customer change their mind", 1)
    shipped = await context.call("ship", url=urljoin(context.url, "/ship"), method="POST", body={"id": payload["id"]})

    async def _receipt() -> str:
        return f"{payload['id']}: {total}, shipped: {shipped.status == 200}"

    await context.run("receipt", _receipt)
