"""Who compiles units besides this process: each module here is one, with what `executor.EngineModule` asks for."""
