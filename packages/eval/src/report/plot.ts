import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { type ComponentChild, h } from 'preact'

export interface FigureText {
  readonly title: string
  /** What a reader who cannot see the picture must know. */
  readonly description: string
}

/** A plot as inline SVG with title and description, for screen readers too. Colours are those of the page. */
export function plotFigure({ title, description }: FigureText, options: Plot.PlotOptions): ComponentChild {
  const { document } = parseHTML('<!doctype html><html><body></body></html>')
  const svg = Plot.plot({
    width: 620,
    height: 300,
    marginLeft: 56,
    marginRight: 24,
    marginBottom: 44,
    style: { fontSize: '12px' },
    ...options,
    document,
  })
  const [titleNode, descriptionNode] = ['title', 'desc'].map((tag) =>
    document.createElementNS('http://www.w3.org/2000/svg', tag),
  )
  titleNode.textContent = title
  descriptionNode.textContent = description
  svg.prepend(titleNode, descriptionNode)
  svg.setAttribute('role', 'img')
  return h('figure', null, [
    h('figcaption', null, title),
    h('div', { class: 'plot', dangerouslySetInnerHTML: { __html: svg.outerHTML } }),
  ])
}

/** What tells the series of all plots apart: colour, dash and symbol, so that colour is never alone. */
export interface SeriesStyle {
  readonly colour: string
  readonly dash: string
  readonly symbol: Plot.SymbolType
}

const DASHES = ['none', '6 3', '2 3', '8 3 2 3']
const SYMBOLS = ['circle', 'square', 'triangle', 'diamond'] as const

/** Number of colours in the style sheet. */
const PALETTE = 6

export function seriesStyle(index: number): SeriesStyle {
  return {
    colour: `var(--series-${index % PALETTE})`,
    dash: DASHES[index % DASHES.length],
    symbol: SYMBOLS[index % SYMBOLS.length],
  }
}

/** Which series is which. */
export function legend(names: readonly string[]): ComponentChild {
  return h(
    'ul',
    { class: 'legend' },
    names.map((name, index) => {
      const { colour, dash } = seriesStyle(index)
      const stroke = { stroke: colour, 'stroke-width': 3, 'stroke-dasharray': dash }
      const line = h('line', { x1: 0, x2: 28, y1: 6, y2: 6, ...stroke })
      return h('li', { key: name }, [h('svg', { width: 28, height: 12, 'aria-hidden': 'true' }, line), ` ${name}`])
    }),
  )
}
