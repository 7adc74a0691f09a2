"""The API of tickets: serializers read, writes call the verbs of `workflow`; a refusal is 409 as on the pages."""

import re
from collections.abc import Callable
from typing import Any

from django.db.models import Max, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import person
from accounts.models import User
from accounts.refusals import Forbidden
from contracts.entitlement import NotCovered
from contracts.models import Product, PromiseKind, Release, TicketKind, Topic
from sla import words
from sla.explain import explanations
from sla.models import Commitment, DeadlineProposal, Whom
from tickets import workflow
from tickets.models import HeldRequest, Message, Priority, Ticket


class PersonSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "full_name", "role")


class CommitmentSerializer(serializers.ModelSerializer[Commitment]):
    target_seconds = serializers.SerializerMethodField(help_text="Business time, in seconds.")

    class Meta:
        model = Commitment
        fields = (
            "kind",
            "priority",
            "amount",
            "unit",
            "target_seconds",
            "started_at",
            "due_at",
            "agreed",
            "paused_at",
            "ending",
            "stopped_at",
            "met_late_at",
        )

    def get_target_seconds(self, commitment: Commitment) -> int:
        return int(commitment.target.total_seconds())


class MessageSerializer(serializers.ModelSerializer[Message]):
    author = PersonSerializer()

    class Meta:
        model = Message
        fields = ("id", "kind", "author", "body", "created_at", "channel")


class StepSerializer(serializers.Serializer):
    """One step of the way to a deadline: values in UTC, and its sentence."""

    kind = serializers.ChoiceField(
        choices=["start", "counted", "closed", "weekend", "holiday", "paused", "days", "more", "deadline"]
    )
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    counted_seconds = serializers.IntegerField(help_text="Business time, in seconds.")
    dates = serializers.ListField(child=serializers.DateField(), help_text="Days off that lie in it.")
    words = serializers.CharField()


class ExplanationSerializer(serializers.Serializer):
    """How one promise came to its deadline (domain §4.3); words in the language of the request."""

    commitment = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=PromiseKind.choices)
    priority = serializers.IntegerField()
    title = serializers.CharField()
    origin = serializers.ChoiceField(choices=["package", "clause", "agreed", "line"])
    rule = serializers.CharField()
    terms = serializers.CharField(allow_blank=True)
    hours = serializers.CharField()
    calendar = serializers.CharField()
    calendar_since = serializers.DateTimeField()
    steps = StepSerializer(many=True)
    due_at = serializers.DateTimeField()
    ended = serializers.CharField(allow_blank=True)
    successor = serializers.CharField(allow_blank=True)


class DeadlineProposalSerializer(serializers.ModelSerializer[DeadlineProposal]):
    """Another deadline for the solution that one side proposed, and the other side's answer (domain §4.2)."""

    proposed_by = PersonSerializer()
    answered_by = PersonSerializer(allow_null=True)

    class Meta:
        model = DeadlineProposal
        fields = (
            "id",
            "side",
            "proposed_by",
            "proposed_at",
            "due_at",
            "old_due",
            "reason",
            "state",
            "answered_by",
            "answered_at",
            "words",
        )


class TicketSerializer(serializers.ModelSerializer[Ticket]):
    """A ticket as a list shows it."""

    customer: serializers.StringRelatedField = serializers.StringRelatedField()
    assignee = PersonSerializer(allow_null=True)
    contact = PersonSerializer()
    due_at = serializers.SerializerMethodField(help_text="The nearest deadline; inside also a line's to accept it.")
    promises = serializers.SerializerMethodField()

    class Meta:
        model = Ticket
        fields = (
            "number",
            "subject",
            "state",
            "kind",
            "priority",
            "line",
            "topic",
            "channel",
            "customer",
            "contact",
            "assignee",
            "opened_at",
            "resolved_at",
            "closed_at",
            "due_at",
            "promises",
        )

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_due_at(self, ticket: Ticket) -> str | None:
        inside = person(self.context["request"]).is_vendor
        shown = inside or ticket.due_kind != PromiseKind.LINE_ACCEPTANCE
        return serializers.DateTimeField().to_representation(ticket.due_at) if ticket.due_at and shown else None

    @extend_schema_field(CommitmentSerializer(many=True))
    def get_promises(self, ticket: Ticket) -> list[dict[str, Any]]:
        """The lines' own clocks are shown inside only (domain §3.3)."""
        shown = [
            clock
            for clock in ticket.clocks
            if clock.kind != PromiseKind.LINE_ACCEPTANCE or person(self.context["request"]).is_vendor
        ]
        return list(CommitmentSerializer(shown, many=True).data)


class WholeTicketSerializer(TicketSerializer):
    """A ticket with its conversation and its agreements; internal notes only for the vendor's people."""

    messages = serializers.SerializerMethodField()
    deadline_proposals = serializers.SerializerMethodField(help_text="Newest first.")
    as_of = serializers.SerializerMethodField(help_text="The last thing that was done to it: an act says what it saw.")

    class Meta:
        model = Ticket
        fields = (*TicketSerializer.Meta.fields, "messages", "deadline_proposals", "as_of")

    def get_as_of(self, ticket: Ticket) -> int:
        return ticket.events.aggregate(last=Max("pk"))["last"] or 0

    @extend_schema_field(DeadlineProposalSerializer(many=True))
    def get_deadline_proposals(self, ticket: Ticket) -> list[dict[str, Any]]:
        rows = ticket.deadline_proposals.select_related("proposed_by", "answered_by")
        return list(DeadlineProposalSerializer(rows.order_by("-proposed_at", "-pk"), many=True).data)

    @extend_schema_field(MessageSerializer(many=True))
    def get_messages(self, ticket: Ticket) -> list[dict[str, Any]]:
        rows = ticket.messages.visible_to(person(self.context["request"])).select_related("author")
        return list(MessageSerializer(rows, many=True).data)


# What the verbs are given


class CodeField(serializers.SlugRelatedField):
    """A row of the catalogue by its code."""

    def to_internal_value(self, data: Any) -> Any:
        if "\0" in str(data):  # PostgreSQL takes no NUL, also not to say that there is no such row
            self.fail("does_not_exist", slug_name=self.slug_field, value="\N{REPLACEMENT CHARACTER}")
        return super().to_internal_value(data)


class NewTicket(serializers.Serializer):
    """A new request of the responsible contact for the own company."""

    subject = serializers.CharField(max_length=200)
    body = serializers.CharField(max_length=200_000)
    kind = serializers.ChoiceField(choices=TicketKind.choices, required=False)
    topic = CodeField(slug_field="code", queryset=Topic.objects.all(), required=False)
    priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    product = CodeField(slug_field="code", queryset=Product.objects.all(), required=False)
    release = serializers.PrimaryKeyRelatedField(
        queryset=Release.objects.all(), pk_field=serializers.IntegerField(), required=False
    )
    key = serializers.CharField(max_length=64, required=False, help_text="The same key twice is one ticket.")


class NoWords(serializers.Serializer):
    """The move says it all."""


class Words(serializers.Serializer):
    body = serializers.CharField(max_length=200_000)
    key = serializers.CharField(max_length=64, required=False, help_text="The same key twice is one message.")


class DeskWords(Words):
    """What the desk says to the customer; with `seen` it is refused (409) if somebody has written since."""

    seen = serializers.IntegerField(
        required=False, min_value=0, help_text="The id of the last message that the writer has read."
    )


class Looked(serializers.Serializer):
    """What an act was decided by: with `as_of` it is refused (409) if a colleague has changed what it is about."""

    as_of = serializers.IntegerField(
        required=False, min_value=0, max_value=2**63 - 1, help_text="The request's `as_of` when the person looked."
    )


class Solution(DeskWords, Looked):
    """How it was solved, in words for the customer."""


class Reason(serializers.Serializer):
    reason = serializers.CharField(max_length=20_000)


class DeskReason(Reason, Looked):
    """Why it is done, and what that was decided by."""


class HandOverWords(Looked):
    to_line = serializers.IntegerField(min_value=1, max_value=4)
    known = serializers.CharField(max_length=20_000)
    tried = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")
    asked = serializers.CharField(max_length=20_000)


class DefectWords(Looked):
    title = serializers.CharField(max_length=200)
    steps = serializers.CharField(max_length=20_000)
    expected = serializers.CharField(max_length=20_000)
    actual = serializers.CharField(max_length=20_000)


class Restoration(Looked):
    workaround = serializers.CharField(max_length=20_000)
    to_priority = serializers.ChoiceField(choices=[(3, "3"), (4, "4")], default=3)


class Classification(Looked):
    reason = serializers.CharField(max_length=20_000)
    priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    kind = serializers.ChoiceField(choices=TicketKind.choices, required=False)


class WantedPriority(serializers.Serializer):
    priority = serializers.ChoiceField(choices=Priority.choices)
    reason = serializers.CharField(max_length=20_000)


class CallIn(serializers.Serializer):
    whom = serializers.ChoiceField(choices=[(Whom.CSM, Whom.CSM.label), (Whom.TOP_MANAGEMENT, "top management")])
    reason = serializers.CharField(max_length=20_000)


class WantedDeadline(Looked):
    due_at = serializers.DateTimeField(help_text="An instant within the hours that the solution is counted in.")
    reason = serializers.CharField(max_length=2_000)


class OfProposal(serializers.Serializer):
    proposal = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The proposal that was seen.")


class ProposalRefusal(OfProposal):
    words = serializers.CharField(max_length=2_000)


class Score(serializers.Serializer):
    score = serializers.IntegerField(min_value=1, max_value=5)
    comment = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")


NUMBER = re.compile("[0-9]{1,18}")


class NewestFirst(CursorPagination):
    page_size = 50
    ordering = "-number"

    def decode_cursor(self, request: Request) -> Any:
        """The place that a page named. Raises `NotFound` for one that was made up."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not NUMBER.fullmatch(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


REFUSED = {409: OpenApiResponse(description="A rule refuses this now; `detail` says which.")}


def verb(form: type[serializers.Serializer] | None, summary: str, *, path: str | None = None) -> Any:
    """One action of a ticket: POST the words, get the ticket as it is then. `path`: where not the method's name."""

    def decorate(method: Any) -> Any:
        documented = extend_schema(
            request=form, responses={200: WholeTicketSerializer, **REFUSED}, summary=summary, filters=False
        )(method)
        return action(detail=True, methods=["post"], url_path=path, serializer_class=form or NoWords)(documented)

    return decorate


class TicketViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Ticket]):
    """Tickets that the person may see, newest first; somebody else's answers as a missing one does (domain §7)."""

    lookup_field = "number"
    lookup_value_regex = "[0-9]+"
    pagination_class = NewestFirst
    queryset = Ticket.objects.none()
    filterset_fields = ("state", "line", "priority", "kind")

    def get_queryset(self) -> QuerySet[Ticket]:
        if not self.request.user.is_authenticated:  # the schema is generated without a person
            return Ticket.objects.none()
        return Ticket.objects.visible_to(person(self.request)).with_clocks()

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        if self.action == "list":
            return TicketSerializer
        if self.action == "retrieve":
            return WholeTicketSerializer
        return super().get_serializer_class()

    def _words(self, form: type[serializers.Serializer]) -> dict[str, Any]:
        given = form(data=self.request.data)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def _now(self, number: int, code: int = status.HTTP_200_OK) -> Response:
        again = self.get_queryset().get(number=number)
        return Response(WholeTicketSerializer(again, context=self.get_serializer_context()).data, status=code)

    def _do(self, move: Callable[..., Any], form: type[serializers.Serializer] | None = None) -> Response:
        """Calls one verb with the words given, and answers with the ticket as it is then."""
        ticket = self.get_object()
        words = self._words(form) if form else {}
        move(ticket, by=person(self.request), at=timezone.now(), **words)
        return self._now(ticket.number)

    @extend_schema(request=NewTicket, responses={201: WholeTicketSerializer, **REFUSED}, summary="File a request")
    def create(self, request: Request) -> Response:
        words = self._words(NewTicket)
        membership = getattr(person(request), "membership", None)
        if membership is None:
            raise Forbidden()
        customer, by, now = membership.customer, person(request), timezone.now()
        try:
            ticket = workflow.open_ticket(customer=customer, by=by, channel="api", at=now, **words)
        except NotCovered as refusal:
            if refusal.reason == HeldRequest.Reason.NO_CONTRACT:  # not lost: put before the administrator (domain §2)
                workflow.hold(
                    reason=refusal.reason,
                    words=refusal.message,
                    subject=words["subject"],
                    body=words["body"],
                    at=now,
                    channel="api",
                    customer=customer,
                    sender=by,
                )
            raise
        return self._now(ticket.number, status.HTTP_201_CREATED)

    @extend_schema(
        responses={200: ExplanationSerializer(many=True)},
        summary="How the deadlines were counted, step by step",
        filters=False,
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def explanation(self, request: Request, number: str) -> Response:
        """Every promise, oldest first, the 50 youngest; for the customer's people without the lines' own clocks."""
        user = person(request)
        zone = words.MOSCOW if user.is_vendor else timezone.get_current_timezone()
        found = explanations(self.get_object(), zone=zone, now=timezone.now(), for_customer=not user.is_vendor)
        return Response([one.as_json() for one in found])

    @verb(Looked, "Take it into work")
    def acceptance(self, request: Request, number: str) -> Response:
        return self._do(workflow.accept, Looked)

    @verb(DeskWords, "Reply in public: the desk, or the responsible contact")
    def replies(self, request: Request, number: str) -> Response:
        """A contact's reply to a closed request opens a follow-up: the answer is that one."""
        desk = person(request).is_vendor
        say, form = (workflow.reply, DeskWords) if desk else (workflow.customer_reply, Words)
        message = say(self.get_object(), by=person(request), at=timezone.now(), channel="api", **self._words(form))
        return self._now(message.ticket.number)

    @verb(Words, "Internal note")
    def notes(self, request: Request, number: str) -> Response:
        return self._do(workflow.note, Words)

    @verb(DeskWords, "Ask the customer: the resolution clock stands")
    def questions(self, request: Request, number: str) -> Response:
        return self._do(workflow.ask_customer, DeskWords)

    @verb(Looked, "Go on without the customer's answer: the clock runs again")
    def waiting(self, request: Request, number: str) -> Response:
        return self._do(workflow.stop_waiting, Looked)

    @verb(HandOverWords, "Hand over to another line")
    def handover(self, request: Request, number: str) -> Response:
        return self._do(workflow.hand_over, HandOverWords)

    @verb(DeskReason, "The receiving line gives it back", path="handover/return")
    def handover_return(self, request: Request, number: str) -> Response:
        return self._do(workflow.return_hand_over, DeskReason)

    @verb(DefectWords, "Attach a new defect")
    def defect(self, request: Request, number: str) -> Response:
        return self._do(workflow.attach_defect, DefectWords)

    @verb(Restoration, "Service is back: priority 1 or 2 becomes 3 or 4")
    def restoration(self, request: Request, number: str) -> Response:
        return self._do(workflow.restore, Restoration)

    @verb(Reason, "The contact says that service is not back", path="restoration/contest")
    def restoration_contest(self, request: Request, number: str) -> Response:
        return self._do(workflow.contest_restore, Reason)

    @verb(Classification, "The classification was wrong")
    def classification(self, request: Request, number: str) -> Response:
        return self._do(workflow.reclassify, Classification)

    @verb(Solution, "Solved")
    def resolution(self, request: Request, number: str) -> Response:
        return self._do(workflow.resolve, Solution)

    @verb(DeskReason, "Decline as outside support")
    def decline(self, request: Request, number: str) -> Response:
        return self._do(workflow.decline, DeskReason)

    @verb(Reason, "The contact contests a decline", path="decline/contest")
    def decline_contest(self, request: Request, number: str) -> Response:
        return self._do(workflow.contest, Reason)

    @verb(None, "The contact does not need it any more")
    def withdrawal(self, request: Request, number: str) -> Response:
        return self._do(workflow.withdraw)

    @verb(None, "The contact confirms the solution")
    def confirmation(self, request: Request, number: str) -> Response:
        return self._do(workflow.confirm)

    @verb(DeskReason, "Not solved after all")
    def reopening(self, request: Request, number: str) -> Response:
        return self._do(workflow.reopen, DeskReason)

    @verb(WantedPriority, "The contact asks for another priority")
    def priority(self, request: Request, number: str) -> Response:
        return self._do(workflow.set_priority, WantedPriority)

    @verb(CallIn, "The contact calls in the CSM or top management")
    def escalations(self, request: Request, number: str) -> Response:
        return self._do(workflow.escalate, CallIn)

    @verb(WantedDeadline, "Propose another deadline for the solution: the contact, or who signs for support")
    def deadline(self, request: Request, number: str) -> Response:
        return self._do(workflow.propose_deadline, WantedDeadline)

    def _answer(self, verb: Callable[..., Any], form: type[serializers.Serializer]) -> Response:
        """A verb of one proposal of this ticket; another's answers as a missing one does."""
        ticket, words = self.get_object(), self._words(form)
        proposal = ticket.deadline_proposals.select_related("ticket").filter(pk=words.pop("proposal")).first()
        if proposal is None:
            raise NotFound
        verb(proposal, by=person(self.request), at=timezone.now(), **words)
        return self._now(ticket.number)

    @verb(OfProposal, "The other side agrees to the proposed deadline", path="deadline/acceptance")
    def deadline_acceptance(self, request: Request, number: str) -> Response:
        return self._answer(workflow.accept_deadline, OfProposal)

    @verb(ProposalRefusal, "The other side does not agree to the proposed deadline", path="deadline/refusal")
    def deadline_refusal(self, request: Request, number: str) -> Response:
        return self._answer(workflow.refuse_deadline, ProposalRefusal)

    @verb(OfProposal, "The side that proposed takes it back", path="deadline/withdrawal")
    def deadline_withdrawal(self, request: Request, number: str) -> Response:
        return self._answer(workflow.withdraw_deadline, OfProposal)

    @verb(Score, "Rate the work, 1 to 5")
    def rating(self, request: Request, number: str) -> Response:
        return self._do(workflow.rate, Score)
