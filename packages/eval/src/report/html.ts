import { type ComponentChild, h } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { Comparison } from '../run/compare.ts'
import { type ReportContext, type ReportMeta, reportContext } from './context.ts'
import { limitsPanel } from './panels/limits.ts'
import { lossPanel } from './panels/loss.ts'
import { overviewPanel } from './panels/overview.ts'
import { recallPanel } from './panels/recall.ts'
import { samplesPanel } from './panels/samples.ts'
import { setupPanel } from './panels/setup.ts'
import { speedPanel } from './panels/speed.ts'
import { statePanel } from './panels/state.ts'
import { textPanel } from './panels/text.ts'
import { legend } from './plot.ts'
import { style } from './style.ts'

/** A part of the report; nothing where the comparison has nothing for it. */
export type Panel = (context: ReportContext) => ComponentChild

const panels: readonly Panel[] = [
  overviewPanel,
  lossPanel,
  textPanel,
  recallPanel,
  statePanel,
  speedPanel,
  samplesPanel,
  setupPanel,
  limitsPanel,
]

/** Nothing may be loaded and nothing run, whatever slips into the page. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'"

/** A comparison as one HTML page that needs nothing else: no network, no scripts. */
export function reportHtml(comparison: Comparison, meta: ReportMeta): string {
  const context = reportContext(comparison, meta)
  const { budget, seeds } = comparison.spec
  const names = context.series.map(({ title }) => title)
  const title = `Mixtape: ${names.join(', ')}`
  const head = h('head', null, [
    h('meta', { charset: 'utf-8' }),
    h('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    h('meta', { 'http-equiv': 'Content-Security-Policy', content: POLICY }),
    h('title', null, title),
    h('style', { dangerouslySetInnerHTML: { __html: style } }),
  ])
  const made = meta.made.toISOString().slice(0, 16).replace('T', ' ')
  const body = h('body', null, [
    h('header', null, [
      h('h1', null, 'Sequence mixers compared'),
      h('p', { class: 'soft' }, `Budget ${budget}, ${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, ${made} UTC`),
      legend(names),
    ]),
    h(
      'main',
      null,
      panels.map((panel) => panel(context)),
    ),
  ])
  return `<!doctype html>\n${renderToString(h('html', { lang: 'en' }, [head, body]))}\n`
}
