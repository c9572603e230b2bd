import { serve, serviceEnvironment } from "./server.ts";

const { name, port, upstream } = serviceEnvironment();

/** The page: asks the API and shows what came back, and who answered. */
serve(port, async (_request, response) => {
  const answer = await fetch(upstream, { signal: AbortSignal.timeout(20_000) });
  const text = await answer.text();
  if (!answer.ok) {
    response
      .writeHead(answer.status, { "content-type": "text/plain" })
      .end(`${name} got ${answer.status} from the API: ${text}\n`);
    return;
  }
  const { servedBy, visits, path } = JSON.parse(text) as { servedBy: string; visits: number; path: string[] };
  response.writeHead(200, { "content-type": "text/html; charset=utf-8", "x-served-by": servedBy });
  response.end(page(servedBy, visits, [name, ...path]));
});

function page(servedBy: string, visits: number, path: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="2">
<title>Heddle demo</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
  body { max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem }
  h1 { font-size: 2.2rem; margin: 0 }
  .path { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: 2rem 0 }
  .path span { padding: .4rem .9rem; border: 1px solid; border-radius: 2rem }
  .path i { opacity: .6; font-style: normal }
  small { opacity: .7 }
</style>
<h1>${visits} visits</h1>
<p>counted by the data service, told by <strong>${servedBy}</strong></p>
<p class="path">${path.map((hop) => `<span>${hop}</span>`).join("<i aria-label='mutual TLS'>&#128274;&rarr;</i>")}</p>
<small>Every arrow is a request through two Envoys with mutual TLS. This page asks again every two seconds.</small>
</html>`;
}
