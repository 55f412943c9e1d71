const light = `color-scheme: light !important;
  --surface: #fff; --sunken: #f4f2ec; --ink: #1c2422; --muted: #5b6662;
  --brass: #86530f; --brass-soft: #fbf1df; --danger: #b3261e; --danger-soft: #fcebe9;
  --shadow: 0 18px 60px #1c242238;`;

const dark = `color-scheme: dark !important;
  --surface: #171c1b; --sunken: #242b2a; --ink: #e8ecea; --muted: #9ca8a3;
  --brass: #e8b563; --brass-soft: #322817; --danger: #ff9d94; --danger-soft: #3b1f1d;
  --shadow: 0 0 0 1px #343c3a, 0 18px 60px #0009;`;

/** Where a panel beside the page would be too small. */
export const PHONE = "(max-width: 480px), (max-height: 480px) and (max-width: 960px)";

export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host { ${light} --wide: min(400px, 100vw - 40px); }
:host([theme=dark]) { ${dark} }
@media (prefers-color-scheme: dark) { :host([theme=auto]) { ${dark} } }

* { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, p { margin: 0; font: inherit; }
button, textarea { font: inherit; color: inherit; margin: 0; border: 0; background: none; }
button { min-block-size: 44px; min-inline-size: 44px; padding: 0 16px; border-radius: 22px; cursor: pointer; }
textarea { inline-size: 100%; padding: 10px 16px; border-radius: 22px; background: var(--sunken); resize: none; font-size: 16px; }
::placeholder { color: var(--muted); }
dialog :focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
svg { inline-size: 22px; block-size: 22px; flex: none; display: block; fill: none; stroke: currentColor;
  stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
.sr { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

dialog { position: fixed; inset: auto 20px 92px auto; inset-inline: auto 20px; margin: 0; padding: 0; border: 0;
  max-inline-size: none; max-block-size: none; color: var(--ink); background: var(--surface); box-shadow: var(--shadow);
  border-radius: 22px; font: 15px/1.5 system-ui, sans-serif; text-align: start; overflow-wrap: anywhere; }
dialog[open] { animation: rise .2s ease-out; }
[part=panel] { inline-size: var(--wide); block-size: min(660px, 100dvh - 112px); flex-direction: column; overflow: hidden; }
[part=panel][open] { display: flex; }

[part=header] { display: flex; align-items: center; gap: 12px; padding: 14px 10px 14px 18px; border-block-end: 1px solid var(--sunken); }
[part=header] div { flex: 1; min-inline-size: 0; line-height: 1.35; }
[part=mark] { inline-size: 40px; block-size: 40px; display: grid; place-items: center; border-radius: 14px;
  background: var(--accent); color: var(--on-accent); font-weight: 600; font-size: 18px; }
[part=title] { font-weight: 600; font-size: 16px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
[part=answerer] { color: var(--muted); font-size: 13px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
[part=answerer]::before { content: ""; display: inline-block; inline-size: 8px; block-size: 8px; margin-inline-end: 6px;
  border-radius: 50%; background: var(--accent); }
[data-mode=person] [part=answerer]::before { background: var(--brass); }
[data-mode=nobody] [part=answerer]::before { background: none; box-shadow: inset 0 0 0 2px var(--muted); }

[part=body] { position: relative; flex: 1; min-block-size: 0; }
[part=scroller] { block-size: 100%; overflow-y: auto; overflow-anchor: none; overscroll-behavior: contain; padding: 16px; }
[part=empty] { block-size: 100%; display: grid; place-content: center; place-items: center; gap: 14px; padding: 32px;
  text-align: center; color: var(--muted); }
[part=empty] svg { inline-size: 56px; block-size: 56px; padding: 15px; border-radius: 50%; color: var(--brass); background: var(--brass-soft); }
[part=pill] { position: absolute; inset: auto 0 10px; margin: auto; inline-size: max-content; display: flex; align-items: center; gap: 6px;
  background: var(--ink); color: var(--surface); font-size: 14px; }

.item { display: flex; flex-direction: column; align-items: start; margin-block-start: 14px; }
.item.new { animation: rise .2s ease-out; }
[data-from=visitor] + [data-from=visitor], [data-from=ai] + [data-from=ai], [data-from=admin] + [data-from=admin] { margin-block-start: 4px; }
[data-from=admin] + [data-from=admin] .by { display: none; }
[data-from=visitor] { align-items: end; }
time { align-self: center; margin-block: 4px 10px; color: var(--muted); font-size: 12px; }
.by, strong { color: var(--brass); font-size: 13px; font-weight: 600; }
[part=bubble] { max-inline-size: 86%; padding: 9px 14px; border-radius: 18px 18px 18px 6px; white-space: pre-wrap; background: var(--sunken); }
[data-from=visitor] [part=bubble] { background: var(--accent); color: var(--on-accent); border-radius: 18px 18px 6px; }
[data-from=admin] [part=bubble], [part=receipt] { background: var(--brass-soft); }
[data-state=pending] [part=bubble] { opacity: .7; }
[data-state=failed] [part=bubble] { background: var(--danger-soft); color: var(--ink); }
[part=failure], [part=line], [part=progress], [part=notice], [part$=-line] { color: var(--muted); font-size: 13px; }
[part=failure] { color: var(--danger); text-align: end; }
:is([part=failure], [part=line], [part=notice], [part=placed]) button { padding: 0 6px; font-weight: 600; text-decoration: underline; }
[part=line] { align-items: center; text-align: center; padding-inline: 24px; }
[part=line]:has(~ [data-from=visitor]) button { display: none; }
[part=receipt] { flex-flow: row wrap; gap: 0 12px; padding: 12px 14px; border-radius: 16px; }
[part=receipt] time { inline-size: 100%; text-align: center; }
[part=receipt] div { flex: 1; white-space: pre-wrap; }
[part=receipt] svg, [part=bell] { color: var(--brass); }
:is([data-state=unreachable], [data-state=logged]) [part=progress] { color: var(--danger); }

.rich { white-space: normal; }
.rich > * { margin-block: 8px; }
.rich > :first-child { margin-block-start: 0; }
.rich > :last-child { margin-block-end: 0; }
.rich :is(ul, ol) { padding-inline-start: 20px; }
.rich :is(a, strong) { color: inherit; font-size: inherit; }
.rich :is(h1, h2, h3, h4) { font-size: 1em; }
.rich :is(pre, table) { display: block; overflow-x: auto; }
code { font: .92em ui-monospace, monospace; background: #7f7f7f24; border-radius: 5px; padding: 1px 4px; }
.dots { display: flex; gap: 5px; padding-block: 7px; }
i { inline-size: 7px; block-size: 7px; border-radius: 50%; background: var(--muted); animation: pulse 1.2s infinite; }
i + i { animation-delay: .15s; }
i + i + i { animation-delay: .3s; }

[part=notice], [part=placed] { padding: 6px 18px; text-align: center; background: var(--sunken); }
:is([data-kind=flood], [data-kind=final]) { color: var(--danger); background: var(--danger-soft); }
[part=composer] { display: flex; flex-wrap: wrap; align-items: end; gap: 4px; padding: 10px 12px calc(12px + env(safe-area-inset-bottom));
  border-block-start: 1px solid var(--sunken); }
:is([part=header], [part=composer]) button { padding: 0; display: grid; place-items: center; }
[part=input] { flex: 1; inline-size: 0; max-block-size: 150px; }
[part=input-line] { inline-size: 100%; padding-inline: 12px; text-align: end; }
[part=input-line]:has(~ [aria-invalid=true]), [aria-invalid=true] + [part=reason-line] { color: var(--danger); }
[part=send], [part=dialog-send] { background: var(--accent); color: var(--on-accent); }
:is([part=close], [part=bell], [part=dialog-cancel]):hover { background: var(--sunken); }

[part=dialog] { inset-block-end: 104px; margin-inline-end: 12px; inline-size: calc(var(--wide) - 24px); padding: 20px; }
::backdrop { background: #0c161361; }
[part=dialog] h2 { font-size: 18px; font-weight: 600; margin-block-end: 12px; }
[part=reason] { margin-block: 6px; border: 1px solid var(--muted); border-radius: 14px; max-block-size: 30vh; }
[part=reason-line] { min-block-size: 36px; font-size: 14px; }
form { text-align: end; }
[part=dialog] :is(h2, label, p) { display: block; text-align: start; }

@keyframes rise { from { opacity: 0; transform: translateY(10px); } }
@keyframes pulse { 30% { opacity: .3; } }
@media ${PHONE} {
  [part=panel] { inset: var(--top) 0 auto; inline-size: 100%; block-size: var(--height); border-radius: 0; }
  [part=header] { padding-block-start: calc(10px + env(safe-area-inset-top)); }
  [part=dialog] { inset: calc(var(--top) + var(--height)) 12px auto; margin: 0; inline-size: auto; translate: 0 calc(-100% - 12px); }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; } }
@media (forced-colors: active) { dialog, [part=bubble], [part=receipt], [part=send], [part=dialog-send], textarea { border: 1px solid; } }
`);
