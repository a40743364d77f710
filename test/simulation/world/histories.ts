import { Random } from './random.ts';

/**
 * Histories as lists of steps. A seed gives a list; each step has a seed of its own. So a failing history can be made
 * shorter: steps are left out as long as what is left still fails, and the shortest list is printed beside the seed.
 */
export interface Step {
  readonly kind: string;
  readonly seed: number;
}

export interface Scenario {
  /** How often each kind of step comes, as weights. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly length: number;
  /** Runs one history and checks it; throws what is wrong. */
  run(seed: number, steps: readonly Step[]): Promise<void>;
}

export function stepsOf({ kinds, length }: Pick<Scenario, 'kinds' | 'length'>, seed: number): Step[] {
  const random = new Random(seed);
  const bag = Object.entries(kinds).flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind));
  return Array.from({ length }, () => ({ kind: random.of(bag), seed: random.below(2 ** 31) }));
}

export interface Series {
  readonly firstSeed: number;
  readonly histories: number;
}

export async function runSeries(scenario: Scenario, { firstSeed, histories }: Series): Promise<void> {
  for (let seed = firstSeed; seed < firstSeed + histories; seed += 1) {
    const steps = stepsOf(scenario, seed);
    const failure = await failureOf(scenario, seed, steps);
    if (failure === null) continue;
    const shortest = await shrink(scenario, seed, steps);
    const list = shortest.map((step) => `${step.kind}:${step.seed}`).join(' ');
    throw new Error(
      `seed ${seed}: run again with SIM_SEED=${seed} SIM_HISTORIES=1\nshortest failing list (${shortest.length} of ${steps.length} steps): ${list}`,
      { cause: (await failureOf(scenario, seed, shortest)) ?? failure },
    );
  }
}

async function failureOf(scenario: Scenario, seed: number, steps: readonly Step[]): Promise<unknown> {
  try {
    await scenario.run(seed, steps);
    return null;
  } catch (error) {
    return error;
  }
}

/** Runs spent on making one failure shorter. */
const SHRINK_RUNS_MAX = 400;

/** Leaves out runs of steps, long ones first, until no single step can be spared. */
async function shrink(scenario: Scenario, seed: number, failing: readonly Step[]): Promise<readonly Step[]> {
  let steps = failing;
  let runs = 0;
  for (let size = steps.length >> 1; size > 0 && runs < SHRINK_RUNS_MAX;) {
    let spared = false;
    for (let at = 0; at < steps.length && runs < SHRINK_RUNS_MAX; runs += 1) {
      const fewer = [...steps.slice(0, at), ...steps.slice(at + size)];
      if ((await failureOf(scenario, seed, fewer)) === null) at += size;
      else {
        steps = fewer;
        spared = true;
      }
    }
    if (!spared) size >>= 1;
  }
  return steps;
}
