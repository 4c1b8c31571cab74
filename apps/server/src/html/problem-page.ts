import type { Problem } from '../http/problem.ts'
import { html } from './html.ts'

/** Returns the page of a problem, for a form that was sent without JavaScript. */
export function renderProblem({ title, detail, status }: Problem): string {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="same-origin">
<title>${title}</title>
<link rel="icon" type="image/svg+xml" href="/page/favicon.svg">
<link rel="stylesheet" href="/page/page.css">
<main class="problem">
<h1>${title}</h1>
<p>${detail ?? null} <small>(${status})</small></p>
<p><a href="/">Back to the videos</a></p>
</main>
</html>
`.html
}
