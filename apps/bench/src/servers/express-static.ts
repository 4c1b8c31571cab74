import express from 'express'
import { listen, root } from './listen.ts'

listen(express().use(express.static(root)))
