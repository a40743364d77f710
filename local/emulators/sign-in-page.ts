/** The page of the local identity provider: whoever stands at this machine says who they are. It takes no password, because there is nothing to keep. */
interface Person {
  readonly name: string;
  readonly role: string;
}

export function signInPage(uid: string, people: readonly Person[]): string {
  const buttons = people.map(
    ({ name, role }) => `<button name="person" value="${name}"><strong>${name}</strong><small>role ${role}</small></button>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Storeline · sign in</title><style>${STYLE}</style></head><body><main><h1>Sign in to Storeline</h1><p>This is the identity provider of a stack on your own machine, so it asks for no password. In the cloud your organization's own page stands here.</p><form method="post" action="/sign-in/${encodeURIComponent(uid)}">${buttons.join('')}</form></main></body></html>\n`;
}

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; margin: 0; color: #1c2430; background: #f4f6f8; }
  main { max-width: 26rem; margin: 12vh auto 0; padding: 2rem; background: #fff; border: 1px solid #dde2e8; border-radius: 8px; }
  h1 { font-size: 1.4rem; margin: 0 0 .5rem; } p { color: #5b6675; margin: 0 0 1.25rem; }
  button { display: block; width: 100%; margin-top: .6rem; padding: .7rem 1rem; font: inherit; text-align: left; color: inherit; background: #fff; border: 1px solid #b7c0cb; border-radius: 6px; cursor: pointer; }
  button:hover, button:focus-visible { border-color: #1c5fb0; outline: 2px solid #1c5fb033; }
  small { display: block; color: #5b6675; }`;
