"""passk's backend. Its public face is listed in `__init__.pyi`; a name is loaded when it is first used.

So a command pays only for what it needs, and the explorer starts without numpy.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
