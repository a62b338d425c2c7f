"""The org's change events: recorded as rows are written, served by the Pub/Sub API (gRPC).

:mod:`journal`, :mod:`origin` and :mod:`port` need none of the packages of the extra ``pubsub``.
"""
