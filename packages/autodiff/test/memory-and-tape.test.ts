import {
  add,
  anomaly,
  checkpoint,
  customGradient,
  type Executor,
  exp,
  free,
  grad,
  log,
  matmul,
  memory,
  mul,
  randomGenerator,
  randomNormal,
  reference,
  scope,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  useExecutor,
  valueAndGrad,
} from '@mixtape/autodiff'
import { wasm } from '@mixtape/autodiff/wasm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const executors: Readonly<Record<string, () => Promise<Executor>>> = { reference, wasm: () => wasm() }

/** Runs `body` and expects as many live buffers after it as before. */
async function expectNoLeak(body: () => void | Promise<void>): Promise<void> {
  const before = memory()
  await body()
  expect(memory()).toMatchObject({ liveBuffers: before.liveBuffers, liveBytes: before.liveBytes })
}

for (const [name, create] of Object.entries(executors)) {
  describe(`on ${name}`, () => {
    it('a scope frees everything but what it returns, also when it throws', async () => {
      await useExecutor(create())
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.nat(), fc.boolean(), async (depth, kept, throws) => {
          await expectNoLeak(() => {
            const chain = (): Tensor[] => {
              const made = [tensor([1, 2])]
              for (let i = 0; i < depth; i++) made.push(scope(() => add(square(made[i]), 1)))
              if (throws) throw new Error('on purpose')
              return made
            }
            try {
              scope(() => {
                const result = scope(() => ({ inner: [chain()[kept % (depth + 1)]] }))
                expect(result.inner[0].freed).toBe(false)
                return 0
              })
            } catch (error) {
              expect(error).toHaveProperty('message', 'on purpose')
            }
          })
        }),
        { numRuns: 30 },
      )
    })

    it('a training loop of 2000 steps has flat memory', async () => {
      await useExecutor(create())
      const x = tensor([[1, -1]])
      let w = tensor([
        [0.1, 0.2],
        [0.3, 0.4],
      ])
      const step = () => {
        const next = scope(() => {
          const gradient = grad((v: Tensor) => sum(square(tanh(matmul(x, v)))))(w)
          return sub(w, mul(gradient, 0.01))
        })
        free([w])
        w = next
      }
      step()
      const after = memory()
      for (let i = 0; i < 2000; i++) step()
      expect(memory()).toEqual(after)
    })

    it('an error in a function or in its gradient leaves no memory behind and the tape usable', async () => {
      await useExecutor(create())
      const broken = customGradient({
        name: 'broken',
        forward: ([x]) => ({ outputs: [square(x)] }),
        backward: () => {
          throw new Error('no gradient')
        },
      })
      const x = tensor([1, 2, 3])
      await expectNoLeak(() => {
        expect(() => scope(() => grad((y: Tensor) => sum(add(broken(mul(y, 2))[0], 1)))(x))).toThrow('no gradient')
        expect(() => scope(() => grad((y: Tensor) => sum(matmul(square(y), y)))(x))).toThrow(/^matmul: /)
      })
      await expectNoLeak(async () => {
        const gradient = scope(() => grad((y: Tensor) => sum(square(y)))(x))
        expect([...(await gradient.data())]).toEqual([2, 4, 6])
        free([gradient])
      })
    })

    it('a checkpointed function has the same value and gradient, bit for bit', async () => {
      await useExecutor(create())
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: 1000 }), async (seed) => {
          const [a, b] = ['a', 'b'].map((part) => randomNormal(randomGenerator(`${seed}/${part}`), [3, 3]))
          const body = (x: Tensor, y: Tensor) => tanh(matmul(exp(mul(x, 0.3)), square(y)))
          const plain = valueAndGrad(([x, y]: Tensor[]) => sum(square(body(body(x, y), y))))([a, b])
          const saved = valueAndGrad(([x, y]: Tensor[]) =>
            sum(
              square(
                checkpoint(() =>
                  checkpoint(() =>
                    body(
                      checkpoint(() => body(x, y)),
                      y,
                    ),
                  ),
                ),
              ),
            ),
          )([a, b])
          expect(await saved.value.data()).toEqual(await plain.value.data())
          for (const i of [0, 1]) expect(await saved.gradient[i].data()).toEqual(await plain.gradient[i].data())
        }),
        { numRuns: 15 },
      )
    })

    it('anomaly mode names the first op, forward or backward, whose result is not finite', async () => {
      await useExecutor(create())
      const x = tensor([1, 0, -1])
      await expect(anomaly(() => scope(() => sum(log(x))))).rejects.toThrow(/^log: 2.*\[3\]/)
      const gradientOfRoot = () => scope(() => grad((y: Tensor) => sum(mul(log(add(y, 1)), 0)))(x))
      await expect(anomaly(gradientOfRoot)).rejects.toThrow(/^log: 1/)
      expect(await anomaly(() => scope(() => sum(square(x)))).then((value) => value.item())).toBe(2)
    })
  })
}

describe('the tape', () => {
  it('follows nested arguments, adds up uses and gives zeros for what is unused', async () => {
    await useExecutor(reference(), { dtype: 'float64' })
    const argument = { a: tensor([2, 3]), list: [tensor([5, 7]), { unused: tensor([1]) }] as const }
    const { value, gradient } = valueAndGrad((t: typeof argument) => sum(mul(mul(t.a, t.a), t.list[0])))(argument)
    expect(await value.item()).toBe(83)
    expect([...(await gradient.a.data())]).toEqual([20, 42])
    expect([...(await gradient.list[0].data())]).toEqual([4, 9])
    expect([...(await gradient.list[1].unused.data())]).toEqual([0])
  })

  it('differentiates gradients, to any order', async () => {
    await useExecutor(reference(), { dtype: 'float64' })
    const cube = (x: Tensor) => mul(x, square(x))
    const third = grad((x: Tensor) => grad((y: Tensor) => grad(cube)(y))(x))
    expect(await third(tensor(5)).item()).toBe(6)
  })

  it('treats what stopGradient computes as constant', async () => {
    await useExecutor(reference(), { dtype: 'float64' })
    const gradient = grad((x: Tensor) =>
      mul(
        stopGradient(() => square(x)),
        x,
      ),
    )(tensor(3))
    expect(await gradient.item()).toBe(9)
  })

  it('uses a custom gradient, and says when it has the wrong shape', async () => {
    await useExecutor(reference(), { dtype: 'float64' })
    const scaled = (shape: number[]) =>
      customGradient({
        name: 'scaled',
        forward: ([x]) => ({ outputs: [square(x)] }),
        backward: ({ gradients: [g] }) => [shape.length === 0 ? mul(g, 100) : tensor([1, 2])],
      })
    expect(await grad((x: Tensor) => scaled([])(x)[0])(tensor(3)).item()).toBe(100)
    expect(() => grad((x: Tensor) => scaled([2])(x)[0])(tensor(3))).toThrow(/^scaled: backward gave input 0 .* \[2\]/)
  })

  it('refuses a function whose value is no scalar', async () => {
    await useExecutor(reference(), { dtype: 'float64' })
    expect(() => grad((x: Tensor) => x)(tensor([1, 2]))).toThrow(/must give a floating scalar/)
  })
})

describe('the wasm executor', () => {
  it('says how much memory was asked for when there is none left, and goes on', async () => {
    await useExecutor(wasm({ maximumBytes: 4 * 2 ** 20 }))
    const x = scope(() => tensor(new Float32Array(200_000)))
    await expectNoLeak(() => {
      expect(() => scope(() => [1, 2, 3, 4, 5, 6].map((i) => add(x, i)))).toThrow(
        /out of memory: 800000 bytes asked for/,
      )
    })
    expect(await scope(() => sum(add(x, 1))).item()).toBe(200_000)
  })
})

describe('random numbers', () => {
  it('depend on the seed alone, are independent of other splits and can be resumed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 20 }), (seed, drawn) => {
        const [a, b] = [randomGenerator(seed), randomGenerator(seed)]
        for (let i = 0; i < drawn; i++) a.bits()
        const state = a.state
        const next = a.bits()
        a.state = state
        expect(a.bits()).toBe(next)
        b.split('other').bits()
        for (let i = 0; i < drawn; i++) b.bits()
        expect(b.bits()).toBe(next)
        expect(randomGenerator(seed).split('x').bits()).not.toBe(randomGenerator(seed).split('y').bits())
      }),
    )
  })
})
