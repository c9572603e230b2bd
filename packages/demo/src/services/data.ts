import { serve, serviceEnvironment } from "./server.ts";

const { name, port } = serviceEnvironment();
let visits = 0;

/** The data: a count of how often it was asked. */
serve(port, async (_request, response) => {
  visits += 1;
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ servedBy: name, visits }));
});
