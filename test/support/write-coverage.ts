import { takeCoverage } from 'node:v8'
import { afterAll } from 'vitest'

// vitest ends its workers in a way in which Node writes nothing.
afterAll(() => takeCoverage())
