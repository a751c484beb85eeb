import { parseSync } from 'vite'

/** What the rules need to know of a source file. */
export interface SourceModule {
  /** Everything it imports or re-exports, types and dynamic imports included. */
  readonly imports: readonly Reference[]
  /** Lines of default exports. */
  readonly defaultExports: readonly number[]
  /** Lines of `require`, `import x = require(…)`, `export =` and `module.exports`. */
  readonly commonJs: readonly number[]
}

export interface Reference {
  readonly specifier: string
  /** Counted from 1. */
  readonly line: number
}

/** Parses TypeScript or JavaScript. @throws SyntaxError naming the file when it does not parse. */
export function parseSource(file: string, text: string): SourceModule {
  const { program, errors } = parseSync(file, text)
  if (errors.length > 0) throw new SyntaxError(`${file}: ${errors[0].message}`)
  const imports: Reference[] = []
  const defaultExports: number[] = []
  const commonJs: number[] = []
  visit(program, (node) => {
    const line = text.slice(0, node.start).split('\n').length
    const specifier = importedBy(node)
    if (specifier !== undefined) imports.push({ specifier, line })
    if (isDefaultExport(node)) defaultExports.push(line)
    if (isCommonJs(node)) commonJs.push(line)
  })
  return { imports, defaultExports, commonJs }
}

/** A node of the syntax tree (ESTree). */
interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly [field: string]: unknown
}

function visit(value: unknown, see: (node: SyntaxNode) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (isNode(value)) see(value)
  for (const child of Object.values(value)) visit(child, see)
}

function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'start' in value &&
    typeof value.start === 'number'
  )
}

function importedBy(node: SyntaxNode): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return literal(node.source ?? node.argument)
    default:
      return undefined
  }
}

function literal(value: unknown): string | undefined {
  return isNode(value) && typeof value.value === 'string' ? value.value : undefined
}

function isDefaultExport(node: SyntaxNode): boolean {
  if (node.type === 'ExportDefaultDeclaration') return true
  return node.type === 'ExportSpecifier' && isNode(node.exported) && node.exported.name === 'default'
}

function isCommonJs(node: SyntaxNode): boolean {
  if (node.type === 'TSImportEqualsDeclaration' || node.type === 'TSExportAssignment') return true
  if (node.type === 'CallExpression') return isNode(node.callee) && node.callee.name === 'require'
  if (node.type !== 'MemberExpression') return false
  return isNamed(node.object, 'module') && isNamed(node.property, 'exports')
}

function isNamed(value: unknown, name: string): boolean {
  return isNode(value) && value.name === name
}
