import { type ComponentChild, h } from 'preact'

/** A table whose first column heads its rows. */
export function dataTable(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly ComponentChild[])[],
): ComponentChild {
  return h('div', { class: 'scroll' }, [
    h('table', null, [
      h('caption', null, caption),
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          head.map((name) => h('th', { scope: 'col' }, name)),
        ),
      ),
      h(
        'tbody',
        null,
        rows.map(([first, ...rest]) =>
          h('tr', null, [h('th', { scope: 'row' }, first), ...rest.map((cell) => h('td', null, cell))]),
        ),
      ),
    ]),
  ])
}

/** The same, folded away: for numbers that a plot beside it shows. */
export function foldedTable(...table: Parameters<typeof dataTable>): ComponentChild {
  return h('details', null, [h('summary', null, table[0]), dataTable(...table)])
}
