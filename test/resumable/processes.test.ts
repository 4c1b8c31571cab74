import { PROCESSES } from './cases/processes.ts'
import { describeThemes } from './describe-themes.ts'

describeThemes([PROCESSES])
