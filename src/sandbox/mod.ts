export { openSandbox, type SandboxOptions } from './open.ts'
export type { BwrapProgram } from './program.ts'
export type {
  Enforcement,
  EphemeralRoot,
  Limits,
  Mount,
  Outcome,
  Output,
  Running,
  RunSpec,
  Sandbox,
  WritableRoot,
} from './spec.ts'
