// Ponder wants an API; /health and /ready are its own.
import { Hono } from "hono";

export default new Hono();
