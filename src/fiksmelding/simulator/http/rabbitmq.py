"""RabbitMQ's questions over HTTP: its plugin rabbitmq_auth_backend_http, with `auth_http.http_method = post`."""

from collections.abc import Iterable

from aiohttp import web

from fiksmelding.simulator.rabbitmq import QUESTIONS_PATH, Questions

__all__ = ["QuestionRoutes"]


class QuestionRoutes:
    """Answers `allow` or `deny`.

    Args:
        questions: Who decides.
    """

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        yield web.post(f"{QUESTIONS_PATH}/{{question:user|vhost|resource|topic}}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        allowed = self._questions.allows(request.match_info["question"], fields)
        return web.Response(text="allow" if allowed else "deny")
