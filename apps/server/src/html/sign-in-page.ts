import { type Html, html } from './html.ts'

export interface SignInModel {
  /** The path to which the client is redirected after it has signed in. */
  readonly target: string
  /** What was wrong the last time, if so. */
  readonly detail: string | undefined
}

/** The page that asks for the token; it works without script. */
export function renderSignIn({ target, detail }: SignInModel): string {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<meta name="color-scheme" content="light dark">
<title>Sign in – Range server</title>
<link rel="icon" type="image/svg+xml" href="/page/favicon.svg">
<link rel="stylesheet" href="/page/page.css">
<link rel="stylesheet" href="/page/sign-in.css">
<main class="problem">
<p><a class="brand" href="/"><img src="/page/favicon.svg" alt="" width="40" height="40">Range server</a></p>
<h1>Sign in</h1>
<p>The operator of this server has given you a token. It is like a password.</p>
${detail === undefined ? null : html`<p role="alert">${detail}</p>`}
<form class="sign-in" method="post" action="/sign-in">
<label for="token">Token</label>
<input type="password" id="token" name="token" autocomplete="current-password" required autofocus>
<input type="hidden" name="return" value="${target}">
<button class="button primary">Sign in</button>
</form>
<p><a href="/">Back to the library</a></p>
</main>
</html>
`.html
}

export function signInLink(): Html {
  return html`<a class="button" href="/sign-in">Sign in to upload</a>`
}

export function signOutButton(): Html {
  return html`<form method="post" action="/sign-out"><button class="button">Sign out</button></form>`
}
