/** The report's style sheet: light, and dark where the reader prefers it. All colours are at least 4.5:1 on their ground. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --card: #f6f7f9; --text: #1b1f24; --soft: #545d68; --rule: #d5dae0;
  --series-0: #0a58ca; --series-1: #b3400a; --series-2: #16733c; --series-3: #8a2bc2; --series-4: #8a6100; --series-5: #0b7285;
  --good: #7fd69b; --bad: #b42318;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --card: #1e2329; --text: #e8ebef; --soft: #a5b0bc; --rule: #39414b;
    --series-0: #74b1ff; --series-1: #ff9e64; --series-2: #6fd695; --series-3: #cf9dff; --series-4: #e6c35c; --series-5: #5fd0e0;
    --good: #1f6b3b; --bad: #ff8a80;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 84rem;
  background: var(--ground); color: var(--text); font: 16px/1.55 system-ui, sans-serif;
}
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
p { margin: .4rem 0; max-width: 48rem; }
.soft, figcaption, caption { color: var(--soft); }
.side { display: flex; flex-wrap: wrap; gap: 1.25rem 2rem; align-items: flex-start; }
.side > * { flex: 1 1 26rem; max-width: 40rem; min-width: 0; }
figure { margin: .5rem 0; }
figcaption, caption { font-size: .9rem; text-align: left; padding-bottom: .35rem; }
.plot svg { --plot-background: var(--ground); display: block; width: 100%; height: auto; overflow: visible; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; margin: .5rem 0; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top; }
th { font-weight: 600; }
thead th { color: var(--soft); font-weight: 500; }
tbody th, th:first-child { text-align: left; }
.matrix td { min-width: 8rem; text-align: center; }
.matrix strong { font-size: 1.15rem; }
.matrix .failed { outline: 2px dashed var(--bad); outline-offset: -3px; }
.failed em, .failure { color: var(--bad); font-style: normal; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; padding: 0; margin: .5rem 0; }
.legend svg { vertical-align: middle; }
pre {
  background: var(--card); border: 1px solid var(--rule); border-radius: .4rem; padding: .75rem 1rem; margin: .5rem 0;
  white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.5 ui-monospace, monospace;
}
.sample b { color: var(--soft); font-weight: 400; }
summary { cursor: pointer; color: var(--soft); font-size: .92rem; }
a { color: var(--series-0); }
`
