package io.prism.batch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Brings the tasks of several threads together into groups. Each thread runs its own loop and hands in one task at a time
 * ({@link Member#perform}); the one that has waited longest leads: it takes what waits, as far as it fits, does all of it
 * on its own thread and wakes the others. So members join and leave between groups, their own work in between stays on
 * their own threads, and a member that is alone goes straight through.
 *
 * <p>While a group is done, others gather for the next one. A leader also waits for members that are between two tasks,
 * no longer than {@link GroupWork#patienceNanos}: that keeps members in step which would otherwise take turns in two
 * groups of half the size. A member that takes longer than that between its tasks is not waited for until it has been in
 * time again.
 *
 * <p>First come, first served: a task that does not fit a group leads the next one at the latest.
 *
 * <p>Thread-safe.
 *
 * @param <T> a task
 */
public final class Batcher<T> {
    private static final long TAKE = -1;
    private static final long UNTIL_WOKEN = 0;

    private enum State {
        IDLE,
        WAITING,
        UNDER_WAY
    }

    private final GroupWork<T> work;
    private final int lanes;

    // all below, and the state of members, guarded by this
    private final Deque<Member> waiting = new ArrayDeque<>();
    private final List<Member> members = new ArrayList<>();
    private int groupsUnderWay;

    /** @param lanes how many groups may be under way at once, at least 1 */
    public Batcher(GroupWork<T> work, int lanes) {
        if (lanes < 1) {
            throw new IllegalArgumentException(lanes + " groups at once: expected at least 1");
        }
        this.work = work;
        this.lanes = lanes;
    }

    /** Takes part, until {@link Member#close}. */
    public Member join() {
        Member member = new Member();
        synchronized (this) {
            members.add(member);
        }
        return member;
    }

    /** How many take part. */
    public synchronized int members() {
        return members.size();
    }

    /** Whether a leader need not wait: everyone who is expected is here, or as many as are this lane's share. */
    private boolean isComplete() {
        int prompt = waiting.size();
        int absent = 0;
        for (int i = 0; i < members.size(); i++) {
            Member member = members.get(i);
            if (member.state == State.UNDER_WAY) {
                prompt++;
            } else if (member.state == State.IDLE && member.expected) {
                prompt++;
                absent++;
            }
        }
        return absent == 0 || waiting.size() >= (prompt + lanes - 1) / lanes;
    }

    private void wakeLeader() {
        Member first = waiting.peekFirst();
        if (first != null && groupsUnderWay < lanes && first.owner != Thread.currentThread()) {
            LockSupport.unpark(first.owner);
        }
    }

    /** Takes the next group out of those who wait. */
    private Group takeGroup() {
        List<T> tasks = new ArrayList<>(waiting.size());
        for (Member member : waiting) {
            tasks.add(member.taskInHand());
        }
        List<T> chosen = work.choose(tasks);
        List<Member> those = new ArrayList<>(chosen.size());
        for (Member member : waiting) {
            if (those.size() < chosen.size() && chosen.get(those.size()) == member.task) {
                those.add(member);
            }
        }
        if (those.size() < chosen.size() || those.isEmpty() || those.getFirst() != waiting.peekFirst()) {
            throw new IllegalStateException(
                    "A group must be of tasks that wait, in their order, and begin with the first");
        }
        for (Member member : those) {
            member.state = State.UNDER_WAY;
            waiting.remove(member);
        }
        groupsUnderWay++;
        wakeLeader();
        return new Group(chosen, those);
    }

    /** Tasks that are done together, the leader's first. */
    private final class Group {
        private final List<T> tasks;

        /** Whose tasks they are, in the same order. */
        private final List<Member> those;

        Group(List<T> tasks, List<Member> those) {
            this.tasks = tasks;
            this.those = those;
        }

        void run() {
            @Nullable Throwable failure = null;
            try {
                work.run(tasks);
            } catch (Throwable t) { // thrown on by every member of the group
                failure = t;
            }
            synchronized (Batcher.this) {
                groupsUnderWay--;
                long now = System.nanoTime();
                for (Member member : those) {
                    member.done(failure, now);
                }
                wakeLeader();
            }
            for (int i = 1; i < those.size(); i++) { // the first is the leader
                LockSupport.unpark(those.get(i).owner);
            }
        }
    }

    /** One who takes part. Used by one thread at a time. */
    public final class Member implements AutoCloseable {
        private volatile State state = State.IDLE;
        private @Nullable T task;
        private @Nullable Thread owner;
        private @Nullable Throwable failure;

        /** Whether leaders wait for it while it is idle. */
        private boolean expected;

        /** Whether it was too late the last time. */
        private boolean late = true;

        private long idleSince = System.nanoTime();

        /** When it began to wait for others as a leader; 0 if it does not. */
        private long leadingSince;

        private Member() {}

        /**
         * Hands in a task and waits until it is done, by this thread or another.
         *
         * @return false if the thread was interrupted before the task was begun: then nothing was done, and the task is
         *     withdrawn. The thread stays interrupted.
         */
        public boolean perform(T newTask) {
            boolean interrupted = false;
            handIn(newTask);
            try {
                while (state != State.IDLE) {
                    long patience = UNTIL_WOKEN;
                    Group group = null;
                    synchronized (Batcher.this) {
                        if (state == State.WAITING) {
                            if (interrupted || Thread.currentThread().isInterrupted()) {
                                return false;
                            }
                            patience = patience();
                            group = patience == TAKE ? takeGroup() : null;
                        }
                    }
                    if (group != null) {
                        group.run();
                    } else if (patience > 0) {
                        LockSupport.parkNanos(Batcher.this, patience);
                    } else if (state != State.IDLE) {
                        LockSupport.park(Batcher.this);
                    }
                    interrupted |= state != State.IDLE && Thread.interrupted(); // or parking would not wait
                }
            } finally {
                if (state == State.WAITING) {
                    withdraw();
                }
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
            Throwable thrown = failure;
            if (thrown != null) {
                rethrow(thrown);
            }
            return true;
        }

        private void handIn(T newTask) {
            synchronized (Batcher.this) {
                if (state != State.IDLE || !members.contains(this)) {
                    throw new IllegalStateException("A member hands in one task at a time, until it is closed");
                }
                late = System.nanoTime() - idleSince > work.patienceNanos(members.size());
                task = newTask;
                owner = Thread.currentThread();
                failure = null;
                leadingSince = 0;
                state = State.WAITING;
                waiting.addLast(this);
                if (waiting.size() > 1 && isComplete()) {
                    wakeLeader();
                }
            }
        }

        /** How long to wait for others, in nanoseconds, or {@link #TAKE}, or {@link #UNTIL_WOKEN}. */
        private long patience() {
            if (waiting.peekFirst() != this || groupsUnderWay >= lanes) {
                leadingSince = 0;
                return UNTIL_WOKEN;
            }
            if (isComplete()) {
                return TAKE;
            }
            long now = System.nanoTime();
            if (leadingSince == 0) {
                leadingSince = now;
            }
            long left = leadingSince + work.patienceNanos(members.size()) - now;
            if (left > 0) {
                return left;
            }
            for (Member member : members) {
                if (member.state == State.IDLE) {
                    member.expected = false;
                }
            }
            return TAKE;
        }

        private T taskInHand() {
            T inHand = task;
            if (inHand == null) {
                throw new IllegalStateException("A member waits without a task");
            }
            return inHand;
        }

        private void done(@Nullable Throwable thrown, long now) {
            failure = thrown;
            task = null;
            expected = !late;
            idleSince = now;
            state = State.IDLE;
        }

        /** Takes back a task that has not begun. */
        private void withdraw() {
            synchronized (Batcher.this) {
                waiting.remove(this);
                done(null, System.nanoTime());
                wakeLeader();
            }
        }

        /** Takes part no longer. */
        @Override
        public void close() {
            synchronized (Batcher.this) {
                members.remove(this);
                if (!waiting.isEmpty() && isComplete()) {
                    wakeLeader();
                }
            }
        }

        @SuppressWarnings("unchecked")
        private static <E extends Throwable> void rethrow(Throwable e) throws E {
            throw (E) e;
        }
    }
}
