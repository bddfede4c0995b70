// Follows the log in a browser or in Node. An EventSource cannot send the authorization header, so
// the events are read from the stream that fetch gives.

/** Calls `tell` with each event, across lost connections, until `signal` aborts. `query` says which. */
export async function follow(api, key, tell, { token = "", query = "", signal } = {}) {
  for (;;) {
    const headers = { authorization: `Bearer ${key}`, accept: "text/event-stream" };
    if (token) headers["last-event-id"] = token;
    let refusal;
    try {
      const answer = await fetch(`${api}/api/v1/events:watch?${query}`, { headers, signal });
      if (answer.ok) {
        for await (const { kind, id, data } of events(answer.body)) {
          if (kind === "error") refusal = JSON.parse(data);
          else for (const event of JSON.parse(data).events) tell(event);
          token = id || token;
        }
      } else {
        refusal = await answer.json();
      }
    } catch (error) {
      // The connection is lost, and opened again.
      if (signal?.aborted) throw error;
    }
    if (refusal && refusal.code < 500 && refusal.code !== 429) {
      throw Object.assign(new Error(refusal.message), { reason: refusal.reason });
    }
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.random()));
  }
}

/** The events of a stream: their kind, their id and their text. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const whole = (text + value).split("\n\n");
    text = whole.pop();
    for (const event of whole) {
      const line = (name) => event.split("\n").find((line) => line.startsWith(name))?.slice(name.length);
      const data = line("data: ");
      // Without data it says only that the stream is there.
      if (data) yield { kind: line("event: "), id: line("id: "), data };
    }
  }
}
