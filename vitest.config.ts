import { defineConfig } from 'vitest/config'

/** Tests see sibling packages as sources, without a build. */
const conditions = ['mixtape-source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/test/**/*.test.{ts,tsx}', 'tools/*/test/**/*.test.ts'],
    testTimeout: 60_000,
  },
})
