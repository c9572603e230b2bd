import { serve, serviceEnvironment } from "./server.ts";

const { name, port, upstream } = serviceEnvironment();

/** The API: asks the data service for the count and says which version of the API it is. */
serve(port, async (_request, response) => {
  const answer = await fetch(upstream, { signal: AbortSignal.timeout(20_000) });
  if (!answer.ok) {
    response.writeHead(answer.status, { "content-type": "text/plain" }).end(await answer.text());
    return;
  }
  const { visits, servedBy } = (await answer.json()) as { visits: number; servedBy: string };
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ servedBy: name, visits, path: [name, servedBy] }));
});
