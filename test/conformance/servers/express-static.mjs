import express from 'express'
import { listen, outliveErrors, root } from './listen.mjs'

outliveErrors()
listen(express().use(express.static(root)))
