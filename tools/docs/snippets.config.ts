import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** For snippets that are test files. */
const conditions = ['mixtape-source']

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['.tmp/docs-*/*.ts'] },
})
