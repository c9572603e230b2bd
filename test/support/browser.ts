/** Somebody at a browser: follows links, keeps cookies, fills in forms. */
export interface Browser {
  /** Opens an address and logs in as `login`, pressing what there is to press, until a page asks for nothing more. */
  logIn(address: string, login: string): Promise<Page>;
}

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
}

const MOST_STEPS = 20;

/** A new browser without cookies. */
export function openBrowser(): Browser {
  const cookies = new Map<string, string>();
  const go = async (url: string, form?: URLSearchParams): Promise<Page> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent = form === undefined ? {} : { method: "POST", body: form };
    const response = await fetch(url, { redirect: "manual", headers: { cookie }, ...sent });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      const at = pair.indexOf("=");
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const text = await response.text();
    const location = response.headers.get("location");
    return location === null ? { url, status: response.status, text } : await go(new URL(location, url).href);
  };
  return {
    logIn: async (address, login) => {
      let page = await go(address);
      for (let step = 0; step < MOST_STEPS; step++) {
        const form = formOf(page, login);
        if (form === undefined) return page;
        page = await go(form.action, form.fields);
      }
      throw new Error(`The login at ${address} comes to no end; its last page:\n${page.text}`);
    },
  };
}

function formOf(page: Page, login: string): { readonly action: string; readonly fields: URLSearchParams } | undefined {
  const form = /<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(page.text);
  if (form === null) return undefined;
  const [, action = "", inside = ""] = form;
  const fields = new URLSearchParams();
  for (const [input] of inside.matchAll(/<(?:input|button)[^>]*>/g)) {
    const name = /\bname="([^"]*)"/.exec(input)?.[1];
    if (name === undefined || name === "abort") continue;
    fields.set(name, name === "login" || name === "password" ? login : (/\bvalue="([^"]*)"/.exec(input)?.[1] ?? ""));
  }
  return { action: new URL(action, page.url).href, fields };
}
